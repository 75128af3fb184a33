import type { estypes } from "@elastic/elasticsearch";
import { HeadwaterError } from "@headwater/errors";
import { parseDocumentKey } from "./document-key.ts";
import { sendBulk } from "./elastic-bulk.ts";
import type { ElasticConnection } from "./elastic-connection.ts";
import { elasticUnavailable, errorOf } from "./elastic-errors.ts";
import { indexNames, writeAlias } from "./elastic-mapping.ts";
import type { ElasticOptions } from "./elastic-options.ts";
import type { PassageSource } from "./elastic-passage.ts";
import { entryId, toHit, toSource } from "./elastic-passage.ts";
import { ofDocuments, ofRevisions, wordsQuery } from "./elastic-query.ts";
import { scan } from "./elastic-scan.ts";
import type {
  DocumentRevision,
  GenerationDescription,
  HeldRevision,
  LexicalEngine,
  RevisedHit,
  RevisedPassages,
} from "./engine.ts";
import type { PassageFilter } from "./passage-index.ts";

/** Of one passage in several revisions the later one first, as it is the one that counts. */
const order: estypes.Sort = [{ _score: { order: "desc" } }, { id: "asc" }, { revision: "desc" }];
/** Documents in the query of one request. */
const documentsOfRequest = 1000;
/** Revisions that a list counts at one time, about 200 bytes each. */
const maxListed = 50_000;
/** Runs of one removal: each passes over what another run removes at the same time. */
const maxRuns = 5;

/** One generation in one index of Elasticsearch. A tenant lies in one shard, so that a search sees one moment of it. */
export class ElasticEngine implements LexicalEngine {
  readonly #connection: ElasticConnection;
  readonly #options: ElasticOptions;
  readonly #index: string;

  constructor(connection: ElasticConnection, options: ElasticOptions, { generation }: GenerationDescription) {
    this.#connection = connection;
    this.#options = options;
    this.#index = indexNames(options.prefix, generation).passages;
  }

  async search(
    query: string,
    filter: PassageFilter,
    limit: number,
    signal?: AbortSignal,
  ): Promise<RevisedHit[]> {
    const { hits } = await this.#connection.ask(
      (client, limits) =>
        client.search<PassageSource>(
          {
            ...{ index: this.#index, routing: filter.tenant, query: wordsQuery(query, filter), size: limit },
            sort: order,
            ...{ track_total_hits: false, allow_partial_search_results: false },
          },
          limits,
        ),
      signal,
    );
    return hits.hits.flatMap(({ _source, _score }) => (_source ? [toHit(_source, _score ?? 0)] : []));
  }

  /** Refreshed on return, as what the ledger names next must be found: one refresh a batch, as each has many passages. */
  async write(documents: readonly RevisedPassages[]): Promise<void> {
    const operations = documents.flatMap(({ tenant, passages, revision }) =>
      passages.map((passage) => ({
        action: { index: { _id: entryId(passage.id, revision), routing: tenant } },
        source: toSource(passage, revision),
      })),
    );
    const { batchBytes: maxBytes } = this.#options;
    const index = writeAlias(this.#index);
    await sendBulk(this.#connection, operations, { index, maxBytes, refresh: true });
  }

  removeBelow(documents: readonly DocumentRevision[]): Promise<void> {
    return this.#remove(documents, "below");
  }

  removeRevisions(revisions: readonly DocumentRevision[]): Promise<void> {
    return this.#remove(revisions, "exactly");
  }

  async count(): Promise<number> {
    await this.#refresh();
    const { count } = await this.#connection.work((client, limits) =>
      client.count({ index: this.#index }, limits),
    );
    return count;
  }

  async *list(tenant?: string, documentIds?: readonly string[]): AsyncIterable<HeldRevision> {
    await this.#refresh();
    const request = {
      index: this.#index,
      query: ofDocuments(tenant, documentIds),
      docvalue_fields: ["document", "revision", "version"],
      ...(tenant !== undefined && { routing: tenant }),
    };
    const revisions = new Map<string, { version: number; passages: number }>();
    function* take() {
      for (const [key, held] of revisions) {
        const space = key.indexOf(" ");
        yield { ...parseDocumentKey(key.slice(space + 1)), revision: Number(key.slice(0, space)), ...held };
      }
      revisions.clear();
    }
    for await (const { fields } of scan<never>(this.#connection, request)) {
      const [document, revision, version] = ["document", "revision", "version"].map(
        (name) => fields?.[name]?.[0],
      );
      const key = `${String(revision)} ${String(document)}`;
      const held = revisions.get(key);
      if (held) held.passages += 1;
      else revisions.set(key, { version: Number(version), passages: 1 });
      if (revisions.size === maxListed) yield* take();
    }
    yield* take();
  }

  /** Elasticsearch merges by itself; this frees what removed passages still take, and word statistics of them. */
  async optimize(): Promise<void> {
    await this.#connection.work((client, limits) =>
      client.indices.forcemerge({ index: this.#index, only_expunge_deletes: true }, limits),
    );
  }

  async #remove(documents: readonly DocumentRevision[], which: "below" | "exactly"): Promise<void> {
    for (let at = 0; at < documents.length; at += documentsOfRequest) {
      const some = documents.slice(at, at + documentsOfRequest);
      const routing = [...new Set(some.map(({ tenant }) => tenant))].join(",");
      for (let run = 1; (await this.#removeOnce(ofRevisions(some, which), routing)) > 0; run += 1)
        if (run === maxRuns)
          throw new HeadwaterError({
            ...{ ...elasticUnavailable, message: "Elasticsearch could not remove passages." },
          });
    }
  }

  /** @returns passages that something else changed at the same time, and that may be there still */
  async #removeOnce(query: estypes.QueryDslQueryContainer, routing: string): Promise<number> {
    const result = await this.#connection.work((client, limits) =>
      client.deleteByQuery(
        // Refreshed, as passages that nobody is to see take the places of others among the hits.
        { index: this.#index, query, routing, conflicts: "proceed", refresh: true, scroll_size: 5000 },
        limits,
      ),
    );
    const [failure] = result.failures ?? [];
    if (failure) throw errorOf(failure.status, failure.cause);
    return result.version_conflicts ?? 0;
  }

  async #refresh(): Promise<void> {
    await this.#connection.work((client, limits) => client.indices.refresh({ index: this.#index }, limits));
  }
}
