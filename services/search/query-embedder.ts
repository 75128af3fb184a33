import { HeadwaterError, status } from "@headwater/errors";
import type { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import type { RpcClient } from "@headwater/rpc";
import type { QueryMetrics } from "@headwater/telemetry";
import { LRUCache } from "lru-cache";

export interface QueryVector {
  readonly vector: Float32Array;
  readonly cached: boolean;
}

/** Has queries embedded; keeps the vectors of recent ones. */
export class QueryEmbedder {
  readonly #client: RpcClient<EmbeddingServiceDefinition>;
  readonly #metrics: QueryMetrics;
  readonly #timeoutMs: number;
  readonly #vectors: LRUCache<string, Float32Array>;

  constructor(
    client: RpcClient<EmbeddingServiceDefinition>,
    metrics: QueryMetrics,
    options: { timeoutMs: number; cacheEntries: number },
  ) {
    this.#client = client;
    this.#metrics = metrics;
    this.#timeoutMs = options.timeoutMs;
    this.#vectors = new LRUCache({ max: options.cacheEntries });
  }

  /**
   * @param fingerprint of the index that the vector is to be compared with; the cache is keyed by it, so a vector never
   *   outlives its model
   * @throws HeadwaterError FAILED_PRECONDITION, HW_INDEX_FINGERPRINT_MISMATCH where the worker has another model
   */
  async embed(query: string, fingerprint: string, signal: AbortSignal): Promise<QueryVector> {
    const key = `${fingerprint}\n${query}`;
    const known = this.#vectors.get(key);
    if (known) {
      this.#metrics.cacheHits.inc({ cache: "query_embedding" });
      return { vector: known, cached: true };
    }
    this.#metrics.cacheMisses.inc({ cache: "query_embedding" });
    const response = await this.#client.call.embedQuery(
      { text: query },
      { signal, deadline: this.#timeoutMs },
    );
    if (response.fingerprint !== fingerprint) throw mismatch();
    const vector = toVector(response.embedding?.vector ?? new Uint8Array());
    this.#vectors.set(key, vector);
    return { vector, cached: response.embedding?.cached ?? false };
  }
}

/** float32, little-endian, as on every platform that Node runs on; copied because the bytes may not be aligned. */
function toVector(bytes: Uint8Array): Float32Array {
  return new Float32Array(new Uint8Array(bytes).buffer);
}

function mismatch(): HeadwaterError {
  return new HeadwaterError({
    code: status.FAILED_PRECONDITION,
    reason: "HW_INDEX_FINGERPRINT_MISMATCH",
    message: "The index was made with another embedding model than the one that is loaded.",
    action: "Run `headwater reindex`, or load the model that made the index.",
  });
}
