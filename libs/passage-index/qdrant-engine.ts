import { setTimeout as delay } from "node:timers/promises";
import { HeadwaterError, status } from "@headwater/errors";
import type { Schemas } from "@qdrant/js-client-rest";
import type {
  DocumentRevision,
  GenerationDescription,
  HeldRevision,
  RevisedHit,
  RevisedPassages,
  VectorEngine,
  VectorSearchOptions,
} from "./engine.ts";
import { checkDimensions } from "./index-errors.ts";
import type { PassageFilter } from "./passage-index.ts";
import { belowRevisions, ofRevisions, ofTenant, toFilter } from "./qdrant-conditions.ts";
import type { QdrantConnection } from "./qdrant-connection.ts";
import { readMetadata, sharedCollection, tenantCollection } from "./qdrant-layout.ts";
import type { QdrantOptions } from "./qdrant-options.ts";
import { heldFields, inBatches, RevisionCounter, toHit, toPoint } from "./qdrant-points.ts";

/**
 * Applied on return; in the order sent, on each replica, as a point that is made visible before it is there would stay
 * hidden.
 */
const durable = { wait: true, ordering: "medium" } as const;
/** Documents in the filter of one request. */
const documentsOfRequest = 500;
/** Points in one page of a list, without their texts. */
const pageSize = 1000;
/** Hits beyond the limit up to which a run of equal scores is followed to find the lowest ids. */
const maxTies = 1000;
/** While Qdrant builds indexes after many writes. Beyond it the build goes on, and searches scan meanwhile. */
const optimizeLimitMs = 30 * 60_000;
const optimizePollMs = { first: 50, last: 2000 };

/** One generation in Qdrant: a collection that tenants share, and one for each large tenant. */
export class QdrantEngine implements VectorEngine {
  readonly #connection: QdrantConnection;
  readonly #options: QdrantOptions;
  readonly #description: GenerationDescription;
  readonly #shared: string;
  #largeTenants: ReadonlySet<string> | undefined;

  /** @param largeTenants of the generation, where they are known already */
  constructor(
    connection: QdrantConnection,
    options: QdrantOptions,
    description: GenerationDescription,
    largeTenants?: readonly string[],
  ) {
    this.#connection = connection;
    this.#options = options;
    this.#description = description;
    this.#shared = sharedCollection(options.prefix, description.generation);
    this.#largeTenants = largeTenants && new Set(largeTenants);
  }

  async write(documents: readonly RevisedPassages[]): Promise<void> {
    for (const { vector } of documents.flatMap(({ passages }) => passages))
      checkDimensions(vector, this.#description.dimensions);
    for (const [collection_name, group] of await this.#byCollection(documents)) {
      const points = group
        .values()
        .flatMap(({ passages, revision }) => passages.values().map((passage) => toPoint(passage, revision)));
      for (const batch of inBatches(points, this.#options.batchBytes))
        await this.#connection.write((api, init) =>
          api.upsertPoints({ collection_name, ...durable, points: batch }, init),
        );
    }
  }

  removeBelow(documents: readonly DocumentRevision[]): Promise<void> {
    return this.#delete(documents, belowRevisions);
  }

  removeRevisions(revisions: readonly DocumentRevision[]): Promise<void> {
    return this.#delete(revisions, ofRevisions);
  }

  async markVisible(revisions: readonly DocumentRevision[]): Promise<void> {
    const payload = { visible: true };
    for (const [collection_name, group] of await this.#inRequests(revisions))
      await this.#connection.write((api, init) =>
        api.setPayload({ collection_name, ...durable, payload, filter: ofRevisions(group) }, init),
      );
  }

  async search(
    vector: Float32Array,
    filter: PassageFilter,
    limit: number,
    { visibleOnly, signal }: VectorSearchOptions,
  ): Promise<RevisedHit[]> {
    checkDimensions(vector, this.#description.dimensions);
    const { timeoutMs, searchEf, oversampling, quantization } = this.#options;
    const request = {
      collection_name: await this.#collectionOf(filter.tenant, signal),
      timeout: Math.ceil(timeoutMs / 1000),
      query: Array.from(vector),
      filter: toFilter(filter, visibleOnly),
      params: { hnsw_ef: searchEf, ...(quantization && { quantization: { rescore: true, oversampling } }) },
      with_payload: true,
      with_vector: true,
    };
    for (let count = limit + 1; ; count = Math.min(4 * count, limit + maxTies)) {
      const { points } = await this.#connection.read(
        (api, init) => api.queryPoints({ ...request, limit: count }, init),
        { signal },
      );
      // Qdrant cuts a run of equal scores at any place; asking for more finds the one that the ids decide.
      const last = points[limit - 1]?.score;
      const cut = points.length === count && last !== undefined && last === points.at(-1)?.score;
      if (cut && count < limit + maxTies) continue;
      return points
        .filter(({ score }) => last === undefined || score >= last)
        .map(toHit)
        .sort(byScore)
        .slice(0, limit);
    }
  }

  async count(): Promise<number> {
    let sum = 0;
    for (const collection_name of await this.#collections()) {
      const { count } = await this.#connection.read((api, init) =>
        api.countPoints({ collection_name, exact: true }, init),
      );
      sum += count;
    }
    return sum;
  }

  async *list(tenant?: string, documentIds?: readonly string[]): AsyncIterable<HeldRevision> {
    const filter = tenant === undefined ? {} : { filter: ofTenant(tenant, documentIds) };
    for (const collection_name of await this.#collections(tenant)) {
      const counter = new RevisionCounter();
      let offset: string | number | undefined;
      do {
        const page = await this.#connection.read((api, init) =>
          api.scrollPoints(
            {
              ...{ collection_name, ...filter, limit: pageSize, with_payload: heldFields },
              ...(offset !== undefined && { offset }),
            },
            init,
          ),
        );
        for (const point of page.points) yield* counter.add(point);
        offset = (page.next_page_offset as string | number | null | undefined) ?? undefined;
      } while (offset !== undefined);
      yield* counter.take();
    }
  }

  /** Qdrant optimizes by itself; this waits until it has, so that a new generation is fast when it begins to serve. */
  async optimize(): Promise<void> {
    const deadline = performance.now() + optimizeLimitMs;
    for (const collection of await this.#collections()) {
      let pause = optimizePollMs.first;
      while ((await this.#isOptimizing(collection)) && performance.now() < deadline) {
        await delay(pause);
        pause = Math.min(2 * pause, optimizePollMs.last);
      }
    }
  }

  async #isOptimizing(collection_name: string): Promise<boolean> {
    const info = await this.#connection.read((api, init) => api.getCollection({ collection_name }, init));
    if (info.status === "red") throw optimizerFailed(info);
    // After a restart Qdrant leaves what it was about to do until the next change, such as one that changes nothing.
    if (info.status === "grey")
      await this.#connection.change((api, init) =>
        api.updateCollection({ collection_name, optimizers_config: {} }, init),
      );
    return info.status !== "green";
  }

  async #delete(
    documents: readonly DocumentRevision[],
    toFilterOf: (documents: readonly DocumentRevision[]) => Schemas["Filter"],
  ): Promise<void> {
    for (const [collection_name, group] of await this.#inRequests(documents))
      await this.#connection.write((api, init) =>
        api.deletePoints({ collection_name, ...durable, filter: toFilterOf(group) }, init),
      );
  }

  async #inRequests(documents: readonly DocumentRevision[]): Promise<[string, DocumentRevision[]][]> {
    const requests: [string, DocumentRevision[]][] = [];
    for (const [collection, group] of await this.#byCollection(documents))
      for (let at = 0; at < group.length; at += documentsOfRequest)
        requests.push([collection, group.slice(at, at + documentsOfRequest)]);
    return requests;
  }

  async #byCollection<T extends DocumentRevision>(documents: readonly T[]): Promise<Map<string, T[]>> {
    if (documents.length === 0) return new Map();
    const large = await this.#large();
    return Map.groupBy(documents, ({ tenant }) => this.#nameOf(tenant, large));
  }

  async #collectionOf(tenant: string, signal?: AbortSignal): Promise<string> {
    return this.#nameOf(tenant, await this.#large(signal));
  }

  /** All of the generation, or the one of a tenant. */
  async #collections(tenant?: string): Promise<string[]> {
    if (tenant !== undefined) return [await this.#collectionOf(tenant)];
    const large = await this.#large();
    return [this.#shared, ...[...large].map((name) => this.#nameOf(name, large))];
  }

  #nameOf(tenant: string, large: ReadonlySet<string>): string {
    const { prefix } = this.#options;
    return large.has(tenant) ? tenantCollection(prefix, this.#description.generation, tenant) : this.#shared;
  }

  /** Asked once: it is fixed when the generation is made. */
  async #large(signal?: AbortSignal): Promise<ReadonlySet<string>> {
    if (this.#largeTenants) return this.#largeTenants;
    const info = await this.#connection.read(
      (api, init) => api.getCollection({ collection_name: this.#shared }, init),
      { signal },
    );
    this.#largeTenants = new Set(readMetadata(info)?.largeTenants);
    return this.#largeTenants;
  }
}

/** Revisions of one passage may have the same score: the later one comes first, as it is the one that counts. */
function byScore(a: RevisedHit, b: RevisedHit): number {
  if (a.score !== b.score) return b.score - a.score;
  if (a.passage.id !== b.passage.id) return a.passage.id < b.passage.id ? -1 : 1;
  return b.revision - a.revision;
}

function optimizerFailed({ optimizer_status }: Schemas["CollectionInfo"]): HeadwaterError {
  return new HeadwaterError({
    code: status.FAILED_PRECONDITION,
    reason: "HW_QDRANT_OPTIMIZER_FAILED",
    message: "Qdrant cannot build its indexes.",
    action: "Look into Qdrant's log; a full disk is the most frequent cause.",
    cause: optimizer_status,
  });
}
