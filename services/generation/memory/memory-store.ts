import type { Queries, RecordStore } from "@headwater/record-store";
import type { TimePlace } from "@headwater/rpc";
import type { Owner } from "../turns/turn.ts";
import type { MemoryRecord, MemoryRow } from "./memory-record.ts";
import { memoryColumns, recordOf, selectedMemory } from "./memory-record.ts";
import { faded, forgottenBelow } from "./strength.ts";
import { toBytes } from "./vectors.ts";

/** All that is remembered of one owner, and when that was so. */
export interface Snapshot {
  /** Undefined: nothing was ever written. */
  readonly revision: number | undefined;
  readonly records: readonly MemoryRecord[];
}

export interface MemoryStoreOptions {
  readonly halfLifeMs: number;
  /** Memories of one owner; beyond it the weakest go. */
  readonly maxPerOwner: number;
}

/** As `faded` has it, of a row: at the time $1, with the half-life in milliseconds in $2. */
const fadedStrength =
  "strength * power(0.5, greatest(0, extract(epoch FROM $1::timestamptz - strengthened_at)) * 1000 / $2::double precision)";

/** The rows of memories. Every query names tenant and owner, but for the sweep of what has faded. */
export class MemoryStore {
  readonly #store: RecordStore;
  readonly #options: MemoryStoreOptions;

  constructor(store: RecordStore, options: MemoryStoreOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** The revision is read first: a write in between makes `write` refuse, rather than be missed. */
  async read(owner: Owner): Promise<Snapshot> {
    const [revision] = await this.#store.query<{ revision: number }>(
      "SELECT revision FROM memory_owners WHERE tenant = $1 AND owner = $2",
      [owner.tenant, owner.owner],
    );
    const rows = await this.#store.query<MemoryRow>(
      `SELECT ${selectedMemory} FROM memories WHERE tenant = $1 AND owner = $2`,
      [owner.tenant, owner.owner],
    );
    return { revision: revision?.revision, records: rows.map(recordOf) };
  }

  /**
   * Puts a record, in the place of the one with its id where there is one.
   *
   * @param decidedOn what was known when it was decided
   * @returns how many others faded or were crowded out by it; undefined: the memories have changed since, nothing was written
   */
  async write(owner: Owner, record: MemoryRecord, decidedOn: Snapshot): Promise<number | undefined> {
    const tooWeak = this.#tooWeak(decidedOn.records, record);
    return await this.#change(owner, decidedOn.revision, async (queries) => {
      await queries.query(
        `INSERT INTO memories (tenant, owner, ${memoryColumns})
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         ON CONFLICT (id) DO UPDATE SET text = excluded.text, vector = excluded.vector,
           fingerprint = excluded.fingerprint, surprise = excluded.surprise, strength = excluded.strength,
           strengthened_at = excluded.strengthened_at, conversation_id = excluded.conversation_id,
           updated_at = excluded.updated_at, last_surprise = excluded.last_surprise
         WHERE memories.tenant = $1 AND memories.owner = $2`,
        [owner.tenant, owner.owner, ...parametersOf(record)],
      );
      if (tooWeak.length === 0) return 0;
      const gone = await queries.query(
        "DELETE FROM memories WHERE tenant = $1 AND owner = $2 AND id = ANY($3::uuid[]) RETURNING id",
        [owner.tenant, owner.owner, tooWeak],
      );
      return gone.length;
    });
  }

  /** Counts a recall of each and strengthens it, whatever else changes meanwhile. */
  async recalled(owner: Owner, strengths: ReadonlyMap<string, number>, now: Date): Promise<void> {
    if (strengths.size === 0) return;
    await this.#store.query(
      `UPDATE memories SET recall_count = recall_count + 1, strength = recalled.strength, strengthened_at = $5
       FROM unnest($3::uuid[], $4::double precision[]) AS recalled (id, strength)
       WHERE tenant = $1 AND owner = $2 AND memories.id = recalled.id`,
      [owner.tenant, owner.owner, [...strengths.keys()], [...strengths.values()], now],
    );
  }

  /** Gives records vectors of another model, unless their texts have changed meanwhile. */
  async reembed(owner: Owner, records: readonly MemoryRecord[]): Promise<void> {
    await this.#store.transaction(async (queries) => {
      for (const { id, text, vector, fingerprint } of records)
        await queries.query(
          `UPDATE memories SET vector = $4, fingerprint = $5
           WHERE tenant = $1 AND owner = $2 AND id = $3 AND text = $6`,
          [owner.tenant, owner.owner, id, toBytes(vector), fingerprint, text],
        );
    });
  }

  /**
   * Newest first.
   *
   * @param after undefined: the first page
   */
  async list(owner: Owner, limit: number, after: TimePlace | undefined): Promise<MemoryRecord[]> {
    const rows = await this.#store.query<MemoryRow>(
      `SELECT ${selectedMemory} FROM memories
       WHERE tenant = $1 AND owner = $2
         AND ($3::timestamptz IS NULL OR (created_at, id) < ($3::timestamptz, $4::uuid))
       ORDER BY created_at DESC, id DESC LIMIT $5`,
      [owner.tenant, owner.owner, after?.time ?? null, after?.id ?? null, limit],
    );
    return rows.map(recordOf);
  }

  /** @returns how many memories there were of these */
  async forget(owner: Owner, id: string): Promise<number> {
    return await this.#forget(owner, "DELETE FROM memories WHERE tenant = $1 AND owner = $2 AND id = $3", [
      id,
    ]);
  }

  async forgetAll(owner: Owner): Promise<number> {
    return await this.#forget(owner, "DELETE FROM memories WHERE tenant = $1 AND owner = $2", []);
  }

  /** Deletes what has faded, of all owners. */
  async sweep(now: Date): Promise<number> {
    return await this.#store.transaction(async (queries) => {
      const gone = await queries.query<{ tenant: string; owner: string }>(
        `DELETE FROM memories WHERE ${fadedStrength} < $3 RETURNING tenant, owner`,
        [now, this.#options.halfLifeMs, forgottenBelow],
      );
      await queries.query(
        `UPDATE memory_owners SET revision = nextval('memory_revisions')
         WHERE (tenant, owner) IN (SELECT * FROM unnest($1::text[], $2::text[]))`,
        [gone.map(({ tenant }) => tenant), gone.map(({ owner }) => owner)],
      );
      return gone.length;
    });
  }

  async #forget(owner: Owner, sql: string, parameters: readonly string[]): Promise<number> {
    return await this.#store.transaction(async (queries) => {
      // The revision first: whoever is about to write back what is forgotten here waits, and then sees that it is late.
      await queries.query(
        "UPDATE memory_owners SET revision = nextval('memory_revisions') WHERE tenant = $1 AND owner = $2",
        [owner.tenant, owner.owner],
      );
      const gone = await queries.query(`${sql} RETURNING id`, [owner.tenant, owner.owner, ...parameters]);
      return gone.length;
    });
  }

  async #change<T>(
    owner: Owner,
    revision: number | undefined,
    work: (queries: Queries) => Promise<T>,
  ): Promise<T | undefined> {
    return await this.#store.transaction(async (queries) => {
      const key = [owner.tenant, owner.owner];
      if (revision === undefined) {
        const added = await queries.query(
          "INSERT INTO memory_owners (tenant, owner) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING revision",
          key,
        );
        if (added.length === 0) return undefined;
      } else {
        const moved = await queries.query(
          `UPDATE memory_owners SET revision = nextval('memory_revisions')
           WHERE tenant = $1 AND owner = $2 AND revision = $3 RETURNING revision`,
          [...key, revision],
        );
        if (moved.length === 0) return undefined;
      }
      return await work(queries);
    });
  }

  /** Of the others: what has faded, and the weakest beyond the bound. */
  #tooWeak(records: readonly MemoryRecord[], told: MemoryRecord): string[] {
    const { halfLifeMs, maxPerOwner } = this.#options;
    return records
      .filter(({ id }) => id !== told.id)
      .map(({ id, strength, strengthenedAt }) => ({
        id,
        strength: faded(strength, strengthenedAt, told.updatedAt, halfLifeMs),
      }))
      .sort((a, b) => b.strength - a.strength)
      .filter(({ strength }, place) => strength < forgottenBelow || place >= maxPerOwner - 1)
      .map(({ id }) => id);
  }
}

function parametersOf(record: MemoryRecord) {
  return [
    record.id,
    record.text,
    toBytes(record.vector),
    record.fingerprint,
    record.surprise,
    record.strength,
    record.strengthenedAt,
    record.recallCount,
    record.conversationId,
    record.createdAt,
    record.updatedAt,
    record.lastSurprise,
  ];
}
