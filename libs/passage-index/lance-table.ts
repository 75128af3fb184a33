import type { Query, Table } from "@lancedb/lancedb";
import { Index, MatchQuery } from "@lancedb/lancedb";
import type { Table as Rows, Schema } from "apache-arrow";
import { parseDocumentKey } from "./document-key.ts";
import { checkDimensions, checkLimit, readOnlyError } from "./index-errors.ts";
import { isOneOf, isTenant, toSql } from "./lance-filter.ts";
import type { LanceHandle } from "./lance-handle.ts";
import type { Housekeeping } from "./lance-housekeeping.ts";
import { passageColumns, passageReader, readVectors, tableSchema, toRows } from "./lance-rows.ts";
import type {
  DocumentKey,
  DocumentPassages,
  IndexedDocument,
  IndexFingerprint,
  PassageFilter,
  PassageIndex,
  ScoredPassage,
} from "./passage-index.ts";

/**
 * Rows up to which a run of equal scores at the limit is followed to find the lowest ids. Beyond, as among thousands of
 * copies of one text, the engine's order decides: following them would cost each search tens of milliseconds.
 */
const maxTies = 1000;

/**
 * The ANN index knows vectors of 8 bits a dimension, and finds nearly the right ones in nearly the right order: so many
 * more than the limit are fetched, and scored again here with the true vectors, which come with the hits in any case.
 */
const annMargin = 16;

/** A row of an engine's answer. */
interface RowHit {
  readonly at: number;
  readonly score: number;
  readonly vector?: Float32Array;
}

/** One generation in one LanceDB table: a commit of the table changes both indexes at once. */
export class LanceTable implements PassageIndex {
  readonly generation: string;
  readonly fingerprint: IndexFingerprint;
  readonly dimensions: number;
  readonly handle: LanceHandle;
  readonly housekeeping: Housekeeping;
  readonly #schema: Schema;
  readonly #readOnly: boolean;
  /** Writers take turns: LanceDB would let them collide and retry, at a higher cost. */
  #writing: Promise<unknown> = Promise.resolve();

  constructor(options: {
    generation: string;
    fingerprint: IndexFingerprint;
    dimensions: number;
    handle: LanceHandle;
    housekeeping: Housekeeping;
    readOnly: boolean;
  }) {
    this.generation = options.generation;
    this.fingerprint = options.fingerprint;
    this.dimensions = options.dimensions;
    this.handle = options.handle;
    this.housekeeping = options.housekeeping;
    this.#readOnly = options.readOnly;
    // Not the table's own: LanceDB loads another copy of apache-arrow, whose classes are not these.
    this.#schema = tableSchema(options.fingerprint, options.dimensions);
  }

  async searchLexical(
    query: string,
    filter: PassageFilter,
    limit: number,
    signal?: AbortSignal,
  ): Promise<ScoredPassage[]> {
    checkLimit(limit);
    // A query without a letter or digit has no words; LanceDB answers it with an error or with nothing.
    if (!/[\p{L}\p{N}]/u.test(query)) return [];
    const where = toSql(filter);
    return this.#search(limit, limit + 1, signal, async (table, count) => {
      const rows = await table
        .query()
        .fullTextSearch(new MatchQuery(query, "content"))
        .where(where)
        .select([...passageColumns, "_score"])
        .limit(count)
        .toArrow();
      const scores = rows.getChild("_score");
      return { rows, hits: listRows(rows, (at) => ({ at, score: Number(scores?.get(at)) })) };
    });
  }

  async searchVector(
    vector: Float32Array,
    filter: PassageFilter,
    limit: number,
    signal?: AbortSignal,
  ): Promise<ScoredPassage[]> {
    checkLimit(limit);
    checkDimensions(vector, this.dimensions);
    const where = toSql(filter);
    const length = Math.hypot(...vector) || 1;
    return this.#search(limit, limit + annMargin, signal, async (table, count) => {
      const rows = await table
        .query()
        .nearestTo(vector)
        .distanceType("cosine")
        .where(where)
        .ef(Math.max(100, 2 * count))
        .select([...passageColumns, "vector", "_distance"])
        .limit(count)
        .toArrow();
      const vectors = readVectors(rows, this.dimensions);
      const hits = listRows(rows, (at) => {
        const own = vectors[at] ?? new Float32Array(this.dimensions);
        return { at, score: dot(vector, own) / length, vector: own };
      });
      return { rows, hits: hits.sort((a, b) => b.score - a.score) };
    });
  }

  replace(documents: readonly DocumentPassages[]): Promise<void> {
    return this.#write(async (table) => {
      // The last one counts where a document is in the batch twice.
      const newest = new Map(
        documents.map((document) => [`${document.tenant}/${document.documentId}`, document]),
      );
      const batch = [...newest.values()];
      if (batch.length === 0) return;
      const passages = batch.flatMap((document) => document.passages);
      for (const { vector } of passages) checkDimensions(vector, this.dimensions);
      const present = await table.countRows(isOneOf(batch));
      if (passages.length === 0) {
        if (present === 0) return;
        await table.delete(isOneOf(batch));
        this.housekeeping.wrote(0);
        return;
      }
      const rows = toRows(passages, this.#schema, this.dimensions);
      // Appending is far cheaper than a merge, and most documents are new.
      if (present === 0) await table.add(rows);
      else {
        await table
          .mergeInsert("id")
          .whenMatchedUpdateAll()
          .whenNotMatchedInsertAll()
          .whenNotMatchedBySourceDelete({ where: isOneOf(batch) })
          .execute(rows);
      }
      this.housekeeping.wrote(passages.length);
    });
  }

  remove(documents: readonly DocumentKey[]): Promise<void> {
    return this.#write(async (table) => {
      if (documents.length === 0) return;
      if ((await table.countRows(isOneOf(documents))) === 0) return;
      await table.delete(isOneOf(documents));
      this.housekeeping.wrote(0);
    });
  }

  count(): Promise<number> {
    return this.handle.use((table) => table.countRows());
  }

  async *listDocuments(tenant?: string, documentIds?: readonly string[]): AsyncIterable<IndexedDocument> {
    if (documentIds?.length === 0) return;
    const counts = await this.handle.use((table) => {
      const query = table.query();
      if (tenant === undefined) return countPassages(query);
      return countPassages(
        query.where(
          documentIds ? isOneOf(documentIds.map((documentId) => ({ tenant, documentId }))) : isTenant(tenant),
        ),
      );
    });
    for (const [key, versions] of counts) {
      for (const [version, passages] of versions)
        yield { ...parseDocumentKey(key), version, lexicalPassages: passages, vectorPassages: passages };
    }
  }

  async optimize(): Promise<void> {
    if (this.#readOnly) throw readOnlyError();
    return this.housekeeping.runNow();
  }

  /** Waits at most `graceMs` for housekeeping: it is safe to be cut. */
  async close(graceMs: number): Promise<void> {
    await this.housekeeping.close(graceMs);
    await this.handle.close();
  }

  /**
   * @param first how many rows to ask the engine for; more than `limit`
   * @param run asks for so many rows; its hits are best first
   */
  async #search(
    limit: number,
    first: number,
    signal: AbortSignal | undefined,
    run: (table: Table, count: number) => Promise<{ rows: Rows; hits: RowHit[] }>,
  ): Promise<ScoredPassage[]> {
    signal?.throwIfAborted();
    for (let count = first; ; count = Math.min(4 * count, maxTies)) {
      const { rows, hits } = await this.handle.use((table) => run(table, count));
      signal?.throwIfAborted();
      // The engine cuts a run of equal scores at any place; asking for more finds the one that the ids decide.
      const last = hits[limit - 1]?.score;
      const cut = hits.length === count && last !== undefined && last === hits.at(-1)?.score;
      if (cut && count < maxTies) continue;
      const read = passageReader(rows);
      return hits
        .filter(({ score }) => last === undefined || score >= last)
        .map(({ at, ...hit }): ScoredPassage => ({ passage: read(at), ...hit }))
        .sort((a, b) => b.score - a.score || (a.passage.id < b.passage.id ? -1 : 1))
        .slice(0, limit);
    }
  }

  async #write<T>(work: (table: Table) => Promise<T>): Promise<T> {
    if (this.#readOnly) throw readOnlyError();
    const use = (): Promise<T> => this.handle.use(work);
    const turn = this.#writing.then(use, use);
    this.#writing = turn.catch(() => {});
    return turn;
  }
}

/** The passages of each version of each document, by document key. */
async function countPassages(query: Query): Promise<Map<string, Map<number, number>>> {
  const counts = new Map<string, Map<number, number>>();
  for await (const rows of query.select(["document_key", "version"])) {
    for (const row of rows) {
      const key = String(row["document_key"]);
      const version = Number(row["version"]);
      const versions = counts.get(key) ?? new Map<number, number>();
      counts.set(key, versions.set(version, (versions.get(version) ?? 0) + 1));
    }
  }
  return counts;
}

function listRows<T>(rows: Rows, of: (at: number) => T): T[] {
  return Array.from({ length: rows.numRows }, (_, at) => of(at));
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at += 1) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
}

/** Makes the scalar and full-text indexes of an empty table; the vector index waits until there is enough to train on. */
export async function createIndexes(table: Table): Promise<void> {
  await table.createIndex("content", {
    config: Index.fts({
      // Finds words in scripts without spaces too, and cuts snake_case and a.b as code is asked for.
      baseTokenizer: "icu/split",
      language: "English",
      lowercase: true,
      stem: true,
      removeStopWords: true,
      asciiFolding: true,
      withPosition: false,
    }),
  });
  for (const column of ["id", "document_key", "observed_at"])
    await table.createIndex(column, { config: Index.btree() });
  for (const column of ["tenant", "media_type"]) await table.createIndex(column, { config: Index.bitmap() });
  await table.createIndex("attributes", { config: Index.labelList() });
}
