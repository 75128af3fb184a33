import { randomUUID } from "node:crypto";
import type { RecordStore } from "@headwater/record-store";

export interface TurnProcessOptions {
  readonly records: RecordStore;
  /** Milliseconds after which the turns of a process that has died are ended. */
  readonly leaseMs: number;
  onError(thrown: unknown): void;
}

/** A lease is renewed so many times in its length. */
const renewals = 3;
/** Turns of dead processes that are found at once. */
const foundAtOnce = 100;

/** In SQL over `turns`: its process renews its lease. */
export const processLives =
  "EXISTS (SELECT FROM turn_processes p WHERE p.id = turns.process AND p.leased_until >= clock_timestamp())";

/** That this process lives, for the others to see; one lease stands for all of its turns. */
export class TurnProcess {
  readonly id: string = randomUUID();
  readonly #options: TurnProcessOptions;
  #timer: NodeJS.Timeout | undefined;
  #renewing: Promise<void> = Promise.resolve();

  private constructor(options: TurnProcessOptions) {
    this.#options = options;
  }

  static async open(options: TurnProcessOptions): Promise<TurnProcess> {
    const { records } = options;
    // Where no other process can be, the turns of those before are lost at once.
    if (!records.shared) await records.query("DELETE FROM turn_processes");
    const process = new TurnProcess(options);
    await process.#renew();
    return process;
  }

  /** @param onRenewed called after each renewal, which comes three times in the length of a lease */
  start(onRenewed: () => Promise<void>): void {
    const { leaseMs, onError } = this.#options;
    let busy = false;
    const beat = async () => {
      if (busy) return;
      busy = true;
      try {
        await this.#renew();
        await onRenewed();
      } catch (thrown) {
        // Renewed at the next beat; a process that is taken for dead meanwhile finds its turns ended.
        onError(thrown);
      } finally {
        busy = false;
      }
    };
    this.#timer = setInterval(() => {
      this.#renewing = beat();
    }, leaseMs / renewals);
    this.#timer.unref();
  }

  /** Turns that nobody runs any more. */
  async lostTurns(): Promise<string[]> {
    const rows = await this.#options.records.query<{ id: string }>(
      `SELECT id FROM turns WHERE ended_at IS NULL AND NOT ${processLives} LIMIT ${foundAtOnce}`,
    );
    return rows.map(({ id }) => id);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing;
    await this.#options.records.query("DELETE FROM turn_processes WHERE id = $1", [this.id]);
  }

  async #renew(): Promise<void> {
    const { records, leaseMs } = this.#options;
    await records.query(
      `INSERT INTO turn_processes (id, leased_until)
       VALUES ($1, clock_timestamp() + $2::integer * interval '1 millisecond')
       ON CONFLICT (id) DO UPDATE SET leased_until = excluded.leased_until`,
      [this.id, leaseMs],
    );
    await records.query(
      `DELETE FROM turn_processes p WHERE leased_until < clock_timestamp() AND NOT EXISTS (
         SELECT FROM turns WHERE turns.process = p.id AND ended_at IS NULL)`,
    );
  }
}
