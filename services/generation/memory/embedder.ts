import { HeadwaterError, status } from "@headwater/errors";
import type { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import type { RpcClient } from "@headwater/rpc";
import { commonPhrases } from "./common-phrases.ts";
import { cosine, toVector } from "./vectors.ts";

/** Milliseconds for one call: a few statements, or a page of memories after a change of model. */
const timeoutMs = 10_000;
/** Texts of one EmbedRequest. */
const batchSize = 64;

/** What the model makes of phrases that every conversation contains. */
export interface CommonGround {
  readonly fingerprint: string;
  readonly vectors: readonly Float32Array[];
  /** Mean cosine of texts that have nothing to do with each other. */
  readonly baseline: number;
}

/** Vectors of statements and of what they are searched with, by the embedding-worker. */
export class MemoryEmbedder {
  readonly #embedding: RpcClient<EmbeddingServiceDefinition>;
  #common: CommonGround | undefined;

  constructor(embedding: RpcClient<EmbeddingServiceDefinition>) {
    this.#embedding = embedding;
  }

  /**
   * Of the model that is loaded now; made once for each model.
   *
   * @throws HeadwaterError UNAVAILABLE
   */
  async commonGround(signal: AbortSignal): Promise<CommonGround> {
    const { fingerprint } = await this.#embedding.call.describe({}, { signal, deadline: timeoutMs });
    if (this.#common?.fingerprint === fingerprint) return this.#common;
    const vectors = await this.embed(commonPhrases, signal);
    this.#common = { fingerprint, vectors, baseline: meanCosine(vectors) };
    return this.#common;
  }

  /** @returns one vector for each text, in order */
  async embed(texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]> {
    async function* batches() {
      for (let from = 0; from < texts.length; from += batchSize)
        // The worker's cache would hold on to what is forgotten.
        yield { sequence: from, texts: texts.slice(from, from + batchSize), skipCache: true };
    }
    const vectors: Float32Array[] = [];
    for await (const { embeddings } of this.#embedding.call.embed(batches(), { signal, deadline: timeoutMs }))
      vectors.push(...embeddings.map(({ vector }) => toVector(vector)));
    if (vectors.length === texts.length) return vectors;
    throw new HeadwaterError({
      code: status.INTERNAL,
      reason: "HW_EMBEDDING_INCOMPLETE",
      message: `The embedding-worker gave ${vectors.length} vectors for ${texts.length} texts.`,
    });
  }

  /** The vector of what memories are searched with, as the model wants queries. */
  async embedQuery(text: string, signal: AbortSignal): Promise<Float32Array> {
    const { embedding } = await this.#embedding.call.embedQuery(
      { text, skipCache: true },
      { signal, deadline: timeoutMs },
    );
    return toVector(embedding?.vector ?? new Uint8Array());
  }
}

function meanCosine(vectors: readonly Float32Array[]): number {
  let sum = 0;
  let pairs = 0;
  for (const [at, a] of vectors.entries())
    for (const b of vectors.slice(at + 1)) {
      sum += cosine(a, b);
      pairs += 1;
    }
  return pairs === 0 ? 0 : sum / pairs;
}
