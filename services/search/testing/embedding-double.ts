import { setTimeout as delay } from "node:timers/promises";
import { HeadwaterError, status } from "@headwater/errors";
import type {
  DescribeResponse,
  Embedding,
  EmbedQueryRequest,
  EmbedQueryResponse,
  EmbedRequest,
  EmbedResponse,
  GetTokenizerResponse,
  RerankRequest,
  RerankResponse,
} from "@headwater/proto/services/headwater/v1/embedding";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import type { RpcServer } from "@headwater/rpc";
import { startRpcServer } from "@headwater/rpc";
import { silentTelemetry } from "@headwater/telemetry";
import { contentStems } from "@headwater/text";
import type { CallContext } from "nice-grpc";

/** What a test can make the double do; changed while it runs. */
export interface EmbeddingDoubleBehaviour {
  fingerprint: string;
  /** Thrown by EmbedQuery. */
  embedError: HeadwaterError | undefined;
  /** Thrown by Rerank. */
  rerankError: HeadwaterError | undefined;
  /** Milliseconds before Rerank answers. */
  rerankDelayMs: number;
  /** How many passages Rerank scores before its budget runs out. */
  rerankScored: number;
}

/** An embedding-worker without a model, over real gRPC: vectors and scores come from the words that texts share. */
export interface EmbeddingDouble {
  readonly server: RpcServer;
  readonly address: string;
  readonly behaviour: EmbeddingDoubleBehaviour;
  /** Calls so far. */
  readonly calls: { embedQuery: number; rerank: number };
  /** Reranks that the caller left. */
  readonly aborted: { rerank: number };
}

export const doubleFingerprint = "double";

export async function startEmbeddingDouble(
  dimensions: number,
  options: { fingerprint?: string; vectorOf?: (text: string) => Float32Array } = {},
): Promise<EmbeddingDouble> {
  const vectorOf = options.vectorOf ?? ((text: string) => wordVector(text, dimensions));
  const behaviour: EmbeddingDoubleBehaviour = {
    fingerprint: options.fingerprint ?? doubleFingerprint,
    embedError: undefined,
    rerankError: undefined,
    rerankDelayMs: 0,
    rerankScored: Number.POSITIVE_INFINITY,
  };
  const calls = { embedQuery: 0, rerank: 0 };
  const aborted = { rerank: 0 };
  const embed = (text: string): Embedding => ({
    vector: Buffer.from(vectorOf(text).buffer),
    tokens: contentStems(text).length,
    truncated: false,
    cached: false,
  });
  const timings = { tokenizeMs: 0, queueMs: 0, inferenceMs: 0 };
  const server = await startRpcServer({
    address: "127.0.0.1:0",
    definition: EmbeddingServiceDefinition,
    telemetry: silentTelemetry("embedding-double"),
    checkReadiness: async () => {},
    implementation: {
      async *embed(requests: AsyncIterable<EmbedRequest>): AsyncGenerator<EmbedResponse> {
        for await (const { sequence, texts } of requests)
          yield { sequence, embeddings: texts.map(embed), timings };
      },
      async embedQuery({ text }: EmbedQueryRequest): Promise<EmbedQueryResponse> {
        calls.embedQuery += 1;
        if (behaviour.embedError) throw behaviour.embedError;
        return { embedding: embed(text), fingerprint: behaviour.fingerprint, timings };
      },
      async rerank({ query, passages }: RerankRequest, { signal }: CallContext): Promise<RerankResponse> {
        calls.rerank += 1;
        if (behaviour.rerankError) throw behaviour.rerankError;
        try {
          await delay(behaviour.rerankDelayMs, undefined, { signal });
        } catch (thrown) {
          aborted.rerank += 1;
          throw thrown;
        }
        const words = new Set(contentStems(query));
        const scores = passages.map((passage, at) => ({
          scored: at < behaviour.rerankScored,
          score: at < behaviour.rerankScored ? shareOf(words, passage) : 0,
          tokenScores: [],
        }));
        return {
          scores,
          reranker: "late-interaction",
          queryTokens: [],
          complete: passages.length <= behaviour.rerankScored,
          timings,
        };
      },
      async describe(): Promise<DescribeResponse> {
        return {
          model: "double",
          fingerprint: behaviour.fingerprint,
          dimensions,
          maxTokens: 512,
          reranker: "late-interaction",
          batchTokens: 4096,
          tokensPerSecond: 1e6,
          queuedTokens: 0,
          inFlightTokens: 0,
        };
      },
      async getTokenizer(): Promise<GetTokenizerResponse> {
        throw new HeadwaterError({
          code: status.UNIMPLEMENTED,
          reason: "HW_METHOD_UNKNOWN",
          message: "The double has no tokenizer.",
        });
      },
    },
  });
  return { server, address: server.address, behaviour, calls, aborted };
}

/** A vector of length 1 whose cosine with another grows with the words that their texts share. */
export function wordVector(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions);
  for (const word of contentStems(text)) {
    let hash = 2166136261;
    for (let at = 0; at < word.length; at += 1) hash = Math.imul(hash ^ word.charCodeAt(at), 16777619);
    const place = (hash >>> 0) % dimensions;
    vector[place] = (vector[place] ?? 0) + 1;
  }
  const length = Math.hypot(...vector);
  if (length === 0) vector[0] = 1;
  else for (const [at, value] of vector.entries()) vector[at] = value / length;
  return vector;
}

function shareOf(words: ReadonlySet<string>, passage: string): number {
  const found = new Set(contentStems(passage));
  return [...words].filter((word) => found.has(word)).length / Math.max(1, words.size);
}
