import { HeadwaterError, status } from "@headwater/errors";
import type { DocumentKey } from "@headwater/passage-index";
import { ReindexState } from "@headwater/proto/services/headwater/v1/ingest";
import type { Queries, RecordStore } from "@headwater/record-store";
import { nowMs } from "./catalog-rows.ts";

/** Where the generations of the indexes stand. */
export interface GenerationState {
  /** The generation that documents are settled into; null before the first. */
  readonly serving: string | null;
  /** One that is being filled, or that served before and is kept; null: there is none. */
  readonly other: string | null;
  readonly state: ReindexState;
  /** The last document that is done; null before the first. */
  readonly cursor: DocumentKey | null;
  readonly done: number;
  readonly total: number;
  readonly failed: number;
  /** Unix milliseconds. */
  readonly startedAt: number;
  /** True: a process holds the lease. */
  readonly running: boolean;
}

/** A document that the other generation has yet to take in; `revision` grows with each change of it. */
export interface PendingChange extends DocumentKey {
  readonly revision: number;
}

type Progress = Pick<GenerationState, "done" | "failed"> & { readonly cursor: DocumentKey };

interface ReindexRow {
  readonly serving: string | null;
  readonly other: string | null;
  readonly state: ReindexState;
  readonly cursor_tenant: string | null;
  readonly cursor_id: string | null;
  readonly done: number;
  readonly total: number;
  readonly failed: number;
  readonly started_at: number;
  readonly running: boolean;
}

/**
 * Waits for every settlement under way, and holds back new ones, to the end of the transaction: what is settled after
 * it sees what the transaction has written.
 */
const lockSettlements = "LOCK TABLE documents IN SHARE ROW EXCLUSIVE MODE";

/**
 * Which generation of the indexes serves, how far a reindex has come, and which documents have changed that the
 * generation beside it has not: in the record store, so that a crash loses nothing of it and every process of ingest
 * goes by the same.
 */
export class GenerationLedger {
  readonly #store: RecordStore;

  /** @param store on which `Catalog.open` has run */
  constructor(store: RecordStore) {
    this.#store = store;
  }

  async read(): Promise<GenerationState> {
    return readState(this.#store);
  }

  /**
   * Settles, once for all processes, which generation serves.
   *
   * @param find is given the one that the ledger has, and returns the one that it is; may make one
   */
  async serve<Index extends { readonly generation: string }>(
    find: (recorded: string | null) => Promise<Index>,
  ): Promise<Index> {
    return this.#store.transaction(async (queries) => {
      await queries.query(lockSettlements);
      const { serving } = await readState(queries);
      const index = await find(serving);
      if (index.generation !== serving)
        await queries.query("UPDATE reindex SET serving = $1", [index.generation]);
      return index;
    });
  }

  /** @returns false while another process holds it */
  async acquire(owner: string, leaseMs: number): Promise<boolean> {
    const rows = await this.#store.query(
      `UPDATE reindex SET owner = $1, leased_until = ${nowMs} + $2::bigint
       WHERE owner IS NULL OR owner = $1 OR leased_until < ${nowMs} RETURNING owner`,
      [owner, leaseMs],
    );
    return rows.length > 0;
  }

  /** @throws HeadwaterError ABORTED where another process has taken the lease */
  async renew(owner: string, leaseMs: number): Promise<void> {
    await this.#own(`leased_until = ${nowMs} + $2::bigint`, owner, [leaseMs]);
  }

  async release(owner: string): Promise<void> {
    await this.#store.query(
      "UPDATE reindex SET owner = NULL, leased_until = 0, settles_from = 0 WHERE owner = $1",
      [owner],
    );
  }

  /** From now on, changes are noted for `generation`. @throws HeadwaterError ABORTED, as `renew` */
  async begin(owner: string, generation: string, total: number): Promise<void> {
    await this.#store.transaction(async (queries) => {
      await queries.query(lockSettlements);
      await own(
        queries,
        `other = $2, state = ${ReindexState.FILLING}, cursor_tenant = NULL, cursor_id = NULL, done = 0, failed = 0,
         total = $3::bigint, started_at = ${nowMs}`,
        owner,
        [generation, total],
      );
      await queries.query("DELETE FROM reindex_changes");
    });
  }

  /** @throws HeadwaterError ABORTED, as `renew` */
  async saveProgress(owner: string, { cursor, done, failed }: Progress): Promise<void> {
    await this.#own(
      "cursor_tenant = $2, cursor_id = $3, done = $4::bigint, failed = $5::bigint, total = GREATEST(total, $4::bigint)",
      owner,
      [cursor.tenant, cursor.documentId, done, failed],
    );
  }

  /** @throws HeadwaterError ABORTED, as `renew` */
  async filled(owner: string): Promise<void> {
    await this.#own(`state = ${ReindexState.CATCHING_UP}`, owner, []);
  }

  /** In order of tenant and id. */
  async changes(limit: number): Promise<PendingChange[]> {
    const rows = await this.#store.query<{ tenant: string; id: string; revision: number }>(
      "SELECT tenant, id, revision FROM reindex_changes ORDER BY tenant, id LIMIT $1",
      [limit],
    );
    return rows.map(({ tenant, id, revision }) => ({ tenant, documentId: id, revision }));
  }

  async countChanges(): Promise<number> {
    const rows = await this.#store.query<{ changes: number }>(
      "SELECT count(*)::int AS changes FROM reindex_changes",
    );
    return rows[0]?.changes ?? 0;
  }

  /** The other generation has taken these in; those that have changed again meanwhile stay. */
  async forgetChanges(changes: readonly PendingChange[]): Promise<void> {
    await this.#store.query(
      `DELETE FROM reindex_changes AS c USING unnest($1::text[], $2::text[], $3::bigint[]) AS done (tenant, id, revision)
       WHERE c.tenant = done.tenant AND c.id = done.id AND c.revision = done.revision`,
      [
        changes.map(({ tenant }) => tenant),
        changes.map(({ documentId }) => documentId),
        changes.map(({ revision }) => revision),
      ],
    );
  }

  /** Nothing is settled in any process for so long, or until the switch. @throws HeadwaterError ABORTED, as `renew` */
  async holdSettlements(owner: string, ms: number): Promise<void> {
    await this.#own(`settles_from = ${nowMs} + $2::bigint`, owner, [ms]);
  }

  /**
   * The other generation serves from now on, and the one before is the other. Once that is so, the same again is
   * harmless.
   *
   * @param generation the other one
   * @param activate switches the indexes themselves; called once no settlement is under way and no change is pending
   * @returns false where a change was pending, and nothing was done
   * @throws HeadwaterError ABORTED, as `renew`
   */
  async switch(owner: string, generation: string, activate: () => Promise<void>): Promise<boolean> {
    return this.#store.transaction(async (queries) => {
      await queries.query(lockSettlements);
      if ((await readState(queries)).serving === generation) return true;
      await own(queries, "settles_from = 0", owner, []);
      const pending = await queries.query("SELECT FROM reindex_changes LIMIT 1");
      if (pending.length > 0) return false;
      await activate();
      await queries.query(
        `UPDATE reindex SET serving = other, other = serving,
           state = CASE WHEN serving IS NULL THEN ${ReindexState.UNSPECIFIED} ELSE ${ReindexState.SWITCHED} END`,
      );
      return true;
    });
  }

  /** There is no other generation any more. @throws HeadwaterError ABORTED, as `renew` */
  async forgetOther(owner: string): Promise<void> {
    await this.#store.transaction(async (queries) => {
      await queries.query(lockSettlements);
      await own(
        queries,
        `other = NULL, state = ${ReindexState.UNSPECIFIED}, cursor_tenant = NULL, cursor_id = NULL`,
        owner,
        [],
      );
      await queries.query("DELETE FROM reindex_changes");
    });
  }

  #own(set: string, owner: string, parameters: readonly (string | number)[]): Promise<void> {
    return own(this.#store, set, owner, parameters);
  }
}

/** Changes the row if `owner` holds the lease. @param parameters $2 and on */
async function own(
  queries: Queries,
  set: string,
  owner: string,
  parameters: readonly (string | number)[],
): Promise<void> {
  const rows = await queries.query(`UPDATE reindex SET ${set} WHERE owner = $1 RETURNING owner`, [
    owner,
    ...parameters,
  ]);
  if (rows.length === 0) throw reindexRunning();
}

async function readState(queries: Queries): Promise<GenerationState> {
  const [row] = await queries.query<ReindexRow>(
    `SELECT serving, other, state, cursor_tenant, cursor_id, done, total, failed, started_at,
       owner IS NOT NULL AND leased_until >= ${nowMs} AS running
     FROM reindex`,
  );
  if (!row) throw new TypeError("the table reindex has lost its row");
  const { serving, other, state, done, total, failed, running } = row;
  const cursor =
    row.cursor_tenant === null || row.cursor_id === null
      ? null
      : { tenant: row.cursor_tenant, documentId: row.cursor_id };
  return { serving, other, state, cursor, done, total, failed, startedAt: row.started_at, running };
}

export function reindexRunning(): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.ABORTED, reason: "HW_REINDEX_RUNNING" },
    message: "A reindex is under way.",
    action: "Wait for it to end; `headwater reindex --status` shows how far it is.",
  });
}
