import type { CallOptions, Client, Transport } from "@connectrpc/connect";
import { createClient } from "@connectrpc/connect";
import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import type { EmbeddingDemand } from "@headwater/load";
import type { Embedding } from "@headwater/proto/connect/headwater/v1/embedding";
import { EmbeddingService } from "@headwater/proto/connect/headwater/v1/embedding";
import { estimateTokens } from "@headwater/text";
import { isLostCall } from "./balancing/lost-call.ts";
import { toHeadwaterError } from "./http-error.ts";
import type { EmbeddingRequest } from "./schemas/openai-embeddings.ts";

/** Texts that one message to the embedding-worker holds. */
const batchTexts = 128;

/** A worker that goes in the middle leaves nothing that is worth keeping: all texts go to another. */
const attempts = 3;

/** Has texts embedded by the embedding-worker. */
export interface Embedder {
  /** @throws HeadwaterError NOT_FOUND for another model; INVALID_ARGUMENT for other dimensions or a text that is too long */
  embed(request: EmbeddingRequest, options: CallOptions): Promise<Embedding[]>;
}

/** @param demand told of what waits here, so that there are enough workers for it */
export function createEmbedder(transport: Transport, demand: EmbeddingDemand): Embedder {
  const worker: Client<typeof EmbeddingService> = createClient(EmbeddingService, transport);
  const embedTexts = async (
    request: EmbeddingRequest,
    texts: readonly string[],
    options: CallOptions,
    attempt = 1,
  ): Promise<Embedding[]> => {
    const { model, dimensions } = request;
    try {
      const described = await worker.describe({}, options);
      if (model !== described.model) throw modelUnknown(described.model);
      if (dimensions && dimensions !== described.dimensions) throw dimensionsWrong(described.dimensions);
      const embeddings: Embedding[] = [];
      for await (const { embeddings: made } of worker.embed(batches(texts), options)) {
        for (const embedding of made) {
          if (embedding.truncated) throw tooLong(embeddings.length, described.maxTokens);
          embeddings.push(embedding);
        }
      }
      if (embeddings.length !== texts.length) throw new TypeError("texts and embeddings are not as many");
      return embeddings;
    } catch (thrown) {
      if (attempt < attempts && isLostCall(thrown, options.signal))
        return await embedTexts(request, texts, options, attempt + 1);
      throw toHeadwaterError(thrown);
    }
  };
  return {
    embed(request, options) {
      const texts = [request.input].flat();
      const tokens = texts.reduce((sum, text) => sum + estimateTokens(text), 0);
      return demand.during("urgent", tokens, () => embedTexts(request, texts, options));
    },
  };
}

async function* batches(texts: readonly string[]) {
  for (let start = 0; start < texts.length; start += batchTexts)
    yield { sequence: BigInt(start), texts: texts.slice(start, start + batchTexts) };
}

function modelUnknown(known: string): HeadwaterError {
  return new HeadwaterError({
    code: status.NOT_FOUND,
    reason: "HW_MODEL_UNKNOWN",
    message: `There is no embedding model of this name; there is ${known}.`,
    action: `Send "model": "${known}".`,
  });
}

function dimensionsWrong(dimensions: number): HeadwaterError {
  return invalidArgument(
    "HW_DIMENSIONS_WRONG",
    `dimensions: the model makes vectors of ${dimensions} numbers, and no others.`,
    "Leave `dimensions` out.",
  );
}

function tooLong(index: number, maxTokens: number): HeadwaterError {
  return invalidArgument(
    "HW_INPUT_TOO_LONG",
    `input.${index}: the text has more than the ${maxTokens} tokens that the model reads.`,
    "Send shorter pieces.",
  );
}
