import type { DocumentKey } from "@headwater/passage-index";
import { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";
import type { Queries, RecordStore } from "@headwater/record-store";
import { GroupCommit } from "../batching/group-commit.ts";
import { blobsAreKept } from "./backup-ledger.ts";
import type { DocumentRow } from "./catalog-rows.ts";
import { documentRow, keyOf, newRows, parameterOf, recordOf, settledRows } from "./catalog-rows.ts";
import { ChangeFeed } from "./change-feed.ts";
import type { DocumentRecord, DocumentStatus, ServedDocument } from "./document-record.ts";
import { isSettled } from "./document-record.ts";
import { PendingDeletions } from "./pending-deletions.ts";
import { migrations } from "./schema.ts";
import { SharedChanges } from "./shared-changes.ts";
import { StateCounts } from "./state-counts.ts";
import { StatusBoard } from "./status-board.ts";

/** The end of a document version's way: indexed, given up or deleted. */
export interface Settlement {
  readonly status: DocumentStatus;
  /** Absent: as it is. */
  readonly served?: ServedDocument | null;
  /** Blobs that nothing refers to any more. */
  readonly unusedBlobs: readonly string[];
  /** The generation of the indexes that it was written into; undefined where it changes nothing in them. */
  readonly generation?: string;
}

export interface DocumentQuery {
  /** Undefined: all tenants. */
  readonly tenant?: string;
  /** Empty: all but DELETED. */
  readonly states?: readonly DocumentState[];
  /** Also DELETED, where `states` is empty. */
  readonly withDeleted?: boolean;
  readonly idPrefix?: string;
  /** Only documents whose passages are in the indexes. */
  readonly servedOnly?: boolean;
  /** Unix milliseconds; only documents whose state changed then or later. */
  readonly changedSince?: number;
  /** The document after which the page begins. */
  readonly after?: DocumentKey;
  readonly limit: number;
}

/** Rows in one settlement; some 20 ms of the embedded PostgreSQL. */
const maxBatch = 512;

/**
 * What is known of each document. Writes are batched: a document costs one row when it is queued for longer than a
 * moment, and one when it is settled; what lies between is kept in memory and written only when somebody lists.
 */
export class Catalog {
  readonly feed = new ChangeFeed();
  readonly #store: RecordStore;
  readonly #board: StatusBoard;
  readonly #counts = new StateCounts((tenant) => this.#countByState(tenant));
  readonly #deletions = new PendingDeletions();
  readonly #settlements: GroupCommit<Settlement, boolean>;
  /** Undefined: no other process has these records. */
  #others: SharedChanges | undefined;

  private constructor(store: RecordStore, onError: (thrown: unknown) => void) {
    this.#store = store;
    this.#board = new StatusBoard((statuses, beats) => this.#writeStatuses(statuses, beats), onError);
    this.#settlements = new GroupCommit({
      maxItems: maxBatch,
      maxWeight: maxBatch,
      weigh: () => 1,
      commit: (items) => this.#settle(items),
    });
  }

  /** @param onError told of a status that could not be written at once; it is tried again */
  static async open(store: RecordStore, onError: (thrown: unknown) => void): Promise<Catalog> {
    await store.migrate(migrations);
    const catalog = new Catalog(store, onError);
    if (store.shared) {
      catalog.#others = await SharedChanges.open(store, {
        onStatus: (status) => {
          if (catalog.#board.hear(status)) catalog.feed.publish(status);
        },
        onMissed: (since) => catalog.feed.missed(since),
        onError,
      });
    }
    return catalog;
  }

  /** One entry a key, in order, with statuses that are not yet written. */
  async read(keys: readonly DocumentKey[]): Promise<(DocumentRecord | undefined)[]> {
    if (keys.length === 0) return [];
    const rows = await this.#store.query<{ document: DocumentRow }>(
      `SELECT ${documentRow} FROM documents
       JOIN unnest($1::text[], $2::text[]) AS wanted (wanted_tenant, wanted_id)
         ON tenant = wanted_tenant AND id = wanted_id`,
      [keys.map(({ tenant }) => tenant), keys.map(({ documentId }) => documentId)],
    );
    const stored = new Map(
      rows.map(({ document }) => recordOf(document)).map((one) => [keyOf(one.status), one]),
    );
    return keys.map((key) => this.#board.overlay(key, stored.get(keyOf(key))));
  }

  /** In order of tenant and id. */
  async list(query: DocumentQuery): Promise<DocumentRecord[]> {
    await this.#board.flush();
    const states = query.states ?? [];
    const rows = await this.#store.query<{ document: DocumentRow }>(
      `SELECT ${documentRow} FROM documents
       WHERE ($1::text IS NULL OR tenant = $1)
         AND ($2::text IS NULL OR (tenant, id) > ($2, $3::text))
         AND CASE WHEN cardinality($4::smallint[]) = 0 THEN $9::boolean OR state <> ${DocumentState.DELETED} ELSE state = ANY ($4) END
         AND ($5 = '' OR (id >= $5 AND starts_with(id, $5)))
         AND (NOT $6::boolean OR served IS NOT NULL)
         AND updated_at >= $7::bigint
       ORDER BY tenant, id LIMIT $8`,
      [
        query.tenant ?? null,
        query.after?.tenant ?? null,
        query.after?.documentId ?? null,
        [...states],
        query.idPrefix ?? "",
        query.servedOnly ?? false,
        query.changedSince ?? 0,
        query.limit,
        query.withDeleted ?? false,
      ],
    );
    return rows.map(({ document }) => recordOf(document));
  }

  /** Counting takes time in proportion to the tenant, so that it is not done all the time; see StateCounts. */
  countByState(tenant: string): Promise<ReadonlyMap<DocumentState, number>> {
    return this.#counts.get(tenant);
  }

  /** What is under way is counted where it is known, in memory: rows that change in the next moment are not written for a count. */
  async #countByState(tenant: string): Promise<ReadonlyMap<DocumentState, number>> {
    const here = this.#board.documentIds(tenant);
    const rows = await this.#store.query<{ state: DocumentState; documents: number }>(
      "SELECT state, count(*)::int AS documents FROM documents WHERE tenant = $1 AND id <> ALL ($2::text[]) GROUP BY state",
      [tenant, here],
    );
    const counts = new Map(rows.map(({ state, documents }) => [state, documents]));
    for (const record of await this.read(here.map((documentId) => ({ tenant, documentId }))))
      if (record) counts.set(record.status.state, (counts.get(record.status.state) ?? 0) + 1);
    return counts;
  }

  /** @param tenant undefined: of all */
  async countServed(tenant?: string): Promise<number> {
    const rows = await this.#store.query<{ documents: number }>(
      "SELECT count(*)::int AS documents FROM documents WHERE served IS NOT NULL AND ($1::text IS NULL OR tenant = $1)",
      [tenant ?? null],
    );
    return rows[0]?.documents ?? 0;
  }

  /**
   * Documents that are in the log and not yet read. Shown at once, written a little later; before this resolves where
   * other processes are asked too: whoever has a receipt must not be shown the version before as the last.
   */
  async noteQueued(statuses: readonly DocumentStatus[]): Promise<void> {
    for (const status of statuses) if (this.#board.queue(status)) this.#publish(status);
    await (this.#others ? this.#board.written() : this.#board.room());
  }

  /** A document is on its way. Shown at once, written only when somebody lists. */
  noteProgress(status: DocumentStatus): void {
    if (this.#board.progress(status)) this.#publish(status);
  }

  /** A document is no longer on its way here: the work on it was called off. */
  withdrawProgress(key: DocumentKey): void {
    this.#board.withdraw(key);
  }

  /** A tombstone is in the log: until it is applied, the document's state is not its last. */
  noteDeleting(key: DocumentKey): void {
    this.#deletions.add(key);
  }

  /** The document's tombstone is applied. */
  deleted(key: DocumentKey): void {
    this.#deletions.delete(key);
  }

  /** True where nothing more will happen to the document by itself, as far as this process knows. */
  isSettled(status: DocumentStatus): boolean {
    return (
      isSettled(status.state) && (status.state === DocumentState.DELETED || !this.#deletions.has(status))
    );
  }

  /** An event has changed nothing: whoever was shown it as queued is shown what is. */
  confirm(status: DocumentStatus): void {
    if (isSettled(status.state)) this.#board.settle(status);
    this.#publish(status);
  }

  /**
   * Durable when it resolves. Of one document, one settlement at a time.
   *
   * @returns false where nothing was settled, because its generation does not serve, or is about to stop serving
   */
  settle(settlement: Settlement): Promise<boolean> {
    return this.#settlements.add(settlement);
  }

  /** A reindex has made the passages of these versions anew; versions that are no longer served are passed over. */
  async updateServed(documents: readonly (DocumentKey & { served: ServedDocument })[]): Promise<void> {
    if (documents.length === 0) return;
    await this.#store.query(
      `UPDATE documents AS d SET served = new.served::jsonb,
         status = CASE WHEN d.state = ${DocumentState.INDEXED}
           THEN d.status || jsonb_build_object('passages', new.passages, 'textLength', new.text_length)
           ELSE d.status END
       FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::int[], $6::int[])
         AS new (tenant, id, served, version, passages, text_length)
       WHERE d.tenant = new.tenant AND d.id = new.id AND (d.served ->> 'version')::bigint = new.version`,
      [
        documents.map(({ tenant }) => tenant),
        documents.map(({ documentId }) => documentId),
        documents.map(({ served }) => JSON.stringify(served)),
        documents.map(({ served }) => served.version),
        documents.map(({ served }) => served.passages),
        documents.map(({ served }) => served.textLength),
      ],
    );
  }

  /** Those of the keys that are the original of what is served. Looks at every document: not for each request. */
  async originalsAmong(keys: readonly string[]): Promise<string[]> {
    const rows = await this.#store.query<{ key: string }>(
      "SELECT served ->> 'originalKey' AS key FROM documents WHERE served ->> 'originalKey' = ANY ($1::text[])",
      [keys],
    );
    return rows.map(({ key }) => key);
  }

  /** Blobs that nothing refers to any more; durable when it resolves. */
  async addUnusedBlobs(keys: readonly string[]): Promise<void> {
    if (keys.length > 0) await insertUnusedBlobs(this.#store, keys);
  }

  /** Those that may be deleted now: none while a backup needs them. */
  async unusedBlobs(limit: number): Promise<string[]> {
    const rows = await this.#store.query<{ key: string }>(
      `SELECT key FROM unused_blobs WHERE NOT ${blobsAreKept} LIMIT $1`,
      [limit],
    );
    return rows.map(({ key }) => key);
  }

  async forgetUnusedBlobs(keys: readonly string[]): Promise<void> {
    await this.#store.query("DELETE FROM unused_blobs WHERE key = ANY ($1::text[])", [keys]);
  }

  /** Writes what is still in memory. */
  async close(): Promise<void> {
    await this.#settlements.drain();
    await this.#board.close();
    await this.#others?.close();
  }

  #publish(status: DocumentStatus): void {
    this.feed.publish(status);
    this.#others?.tell(status);
  }

  async #settle(settlements: readonly Settlement[]): Promise<boolean[]> {
    let newest: ReadonlyMap<string, number>;
    if (settlements.every(({ unusedBlobs }) => unusedBlobs.length === 0))
      newest = await upsertSettled(this.#store, settlements);
    else {
      newest = await this.#store.transaction(async (queries) => {
        const versions = await upsertSettled(queries, settlements);
        const settled = settlements.filter(({ status }) => versions.has(keyOf(status)));
        const unused = settled.flatMap(({ unusedBlobs }) => unusedBlobs);
        await insertUnusedBlobs(queries, unused);
        return versions;
      });
    }
    return settlements.map(({ status }) => {
      const version = newest.get(keyOf(status));
      if (version === undefined) return false;
      const isNewest = this.#board.settle(status);
      // A newer version that is queued is what people are shown already.
      if (isNewest && version === status.version) this.#publish(status);
      return true;
    });
  }

  async #writeStatuses(statuses: readonly DocumentStatus[], beats: "older" | "same"): Promise<void> {
    const rows = statuses.map((status) => ({ status, served: null, settledVersion: 0 }));
    await this.#store.query(
      `INSERT INTO documents AS d ${newRows}
       ON CONFLICT (tenant, id) DO UPDATE
         SET version = excluded.version, state = excluded.state, updated_at = excluded.updated_at,
             status = excluded.status
         WHERE d.version < excluded.version OR (
           ${beats === "same"} AND d.version = excluded.version AND d.updated_at < excluded.updated_at)`,
      [parameterOf(rows)],
    );
  }
}

async function insertUnusedBlobs(queries: Queries, keys: readonly string[]): Promise<void> {
  await queries.query("INSERT INTO unused_blobs SELECT unnest($1::text[]) ON CONFLICT DO NOTHING", [keys]);
}

/**
 * What people are shown is never moved back to an older version, such as when a newer one is queued already; nor is
 * what is served, by a consumer that was slow to notice that another has its partition. Says in the same step that a
 * generation which does not serve has yet to take the document in, where there is one.
 *
 * @returns the version that each document is shown in; those that could not be settled are left out
 */
async function upsertSettled(
  queries: Queries,
  settlements: readonly Settlement[],
): Promise<ReadonlyMap<string, number>> {
  const written = settlements.map((one) => ({ ...one, settledVersion: one.status.version }));
  const unlessNewer = (column: string) =>
    `${column} = CASE WHEN excluded.version >= d.version THEN excluded.${column} ELSE d.${column} END`;
  const rows = await queries.query<{ one: { tenant: string; id: string; version: number } }>(
    `WITH settled AS (
       INSERT INTO documents AS d ${settledRows}
       ON CONFLICT (tenant, id) DO UPDATE
         SET ${["version", "state", "updated_at", "status"].map(unlessNewer).join(", ")},
             settled_version = GREATEST(d.settled_version, excluded.settled_version),
             served = CASE WHEN excluded.settled_version >= d.settled_version THEN excluded.served ELSE d.served END
       RETURNING d.tenant, d.id, d.version
     ), noted AS (
       INSERT INTO reindex_changes AS c
       SELECT tenant, id, 1 FROM settled WHERE (SELECT other FROM reindex) IS NOT NULL
       ON CONFLICT (tenant, id) DO UPDATE SET revision = c.revision + 1
     )
     SELECT to_json(settled) AS one FROM settled`,
    [parameterOf(written)],
  );
  return new Map(
    rows.map(({ one: { tenant, id, version } }) => [keyOf({ tenant, documentId: id }), version]),
  );
}
