import { HeadwaterError, statusName } from "@headwater/errors";
import type {
  DescribeResponse,
  EmbeddingServiceDefinition,
  EmbedQueryRequest,
  EmbedQueryResponse,
  EmbedRequest,
  EmbedResponse,
  GetTokenizerResponse,
  RerankRequest,
  RerankResponse,
} from "@headwater/proto/services/headwater/v1/embedding";
import type { RpcContext } from "@headwater/rpc";
import { untilDraining } from "@headwater/rpc";
import type { CallContext, ServiceImplementation } from "nice-grpc";
import { answerInOrder } from "./embed-stream.ts";
import type { EmbeddedTexts, Embedder } from "./embedder.ts";
import type { EmbeddingMetrics } from "./metrics.ts";
import type { EncoderFolder } from "./model/encoder-folder.ts";
import { checkEmbedQueryRequest, checkEmbedRequest, checkRerankRequest } from "./requests.ts";
import type { Reranker } from "./rerank/reranker.ts";
import type { Scheduler } from "./scheduling/scheduler.ts";
import type { Throughput } from "./scheduling/throughput.ts";

export interface HandlerOptions {
  readonly encoder: EncoderFolder;
  readonly tokenizerJson: Uint8Array;
  readonly embedder: Embedder;
  readonly reranker: Reranker;
  readonly scheduler: Scheduler;
  readonly throughput: Throughput;
  readonly batchTokens: number;
  /** Tokens of one stream that may be under way. */
  readonly streamTokens: number;
  /** Tokens of all streams that may wait. */
  readonly queueTokens: number;
  readonly metrics: EmbeddingMetrics;
}

/** The service's calls: check, do, put into the form of the contract. */
export function createHandlers(
  options: HandlerOptions,
): ServiceImplementation<EmbeddingServiceDefinition, RpcContext> {
  const { encoder, embedder, reranker, scheduler, metrics } = options;

  async function take(request: EmbedRequest, flow: object, signal: AbortSignal) {
    checkEmbedRequest(request);
    const prepared = await embedder.preparePassages(request.texts);
    const response = embedder
      .embed(prepared, "passage", { flow, signal, skipCache: request.skipCache })
      .then((embedded) => embedResponse(request.sequence, embedded));
    return { tokens: prepared.tokens, response };
  }

  /** Streams that have work under way leave room for those that have none. */
  const hasRoom = (tokens: number) =>
    tokens < options.streamTokens && scheduler.queuedIn("passage") < options.queueTokens;

  return {
    async *embed(requests: AsyncIterable<EmbedRequest>, { signal, draining }: CallContext & RpcContext) {
      const flow = {};
      const read = untilDraining(requests, draining);
      yield* answerInOrder(read, (request, either) => take(request, flow, either), hasRoom, signal);
    },

    embedQuery(request: EmbedQueryRequest, { signal }: CallContext): Promise<EmbedQueryResponse> {
      return observed(metrics, "embed_query", async () => {
        checkEmbedQueryRequest(request);
        const prepared = await embedder.prepareQuery(request.text);
        const call = { flow: {}, signal, skipCache: request.skipCache };
        const { embeddings, timings } = await embedder.embed(prepared, "query", call);
        return { embedding: embeddings[0], fingerprint: encoder.fingerprint, timings };
      });
    },

    rerank(request: RerankRequest, { signal }: CallContext): Promise<RerankResponse> {
      return observed(metrics, "rerank", async () => {
        checkRerankRequest(request);
        const { query, passages, budgetMs, skipCache, tokenScores, answerOdds, sources } = request;
        const {
          scores,
          matches,
          answerOdds: odds,
          timings,
        } = await reranker.rerank(query, passages, {
          flow: {},
          signal,
          budgetMs,
          skipCache,
          tokenScores,
          ...(answerOdds ? { answersOf: sources } : {}),
        });
        return {
          scores: scores.map((score, index) => ({
            scored: score !== undefined,
            score: score ?? 0,
            tokenScores: [...(matches?.cosines[index] ?? [])],
            answerOdds: odds?.[index],
          })),
          queryTokens: [...(matches?.tokens ?? [])],
          reranker: reranker.name,
          complete: !scores.includes(undefined),
          timings,
        };
      });
    },

    async describe(): Promise<DescribeResponse> {
      return {
        model: encoder.name,
        fingerprint: encoder.fingerprint,
        dimensions: encoder.dimensions,
        maxTokens: encoder.maxTokens,
        reranker: reranker.name,
        batchTokens: options.batchTokens,
        tokensPerSecond: options.throughput.tokensPerSecond,
        queuedTokens: scheduler.queuedTokens,
        inFlightTokens: scheduler.inFlightTokens,
      };
    },

    async getTokenizer(): Promise<GetTokenizerResponse> {
      return { tokenizerJson: options.tokenizerJson, fingerprint: encoder.fingerprint };
    },
  };
}

function embedResponse(sequence: number, { embeddings, timings }: EmbeddedTexts): EmbedResponse {
  return { sequence, embeddings: [...embeddings], timings };
}

async function observed<T>(
  metrics: EmbeddingMetrics,
  kind: "embed_query" | "rerank",
  work: () => Promise<T>,
): Promise<T> {
  const stop = metrics.duration.startTimer({ kind });
  metrics.queries.inc({ kind });
  metrics.active.inc({ kind });
  try {
    return await work();
  } catch (thrown) {
    metrics.errors.inc({ kind, code: statusName(HeadwaterError.from(thrown).code) });
    throw thrown;
  } finally {
    metrics.active.dec({ kind });
    stop();
  }
}
