import { once, setMaxListeners } from "node:events";
import type { RecordStore } from "@headwater/record-store";
import type { Owner } from "./turn.ts";
import { callNotWaiting } from "./turn-errors.ts";

/** Milliseconds between two looks for a decision whose signal was missed. */
const pollMs = 1000;

/** Tool calls that wait for a person. They are rows, so that any process can take the decision. */
export class Approvals {
  readonly #records: RecordStore;
  readonly #decisions = new EventTarget();

  constructor(records: RecordStore) {
    this.#records = records;
    setMaxListeners(0, this.#decisions);
  }

  /** From now on the call can be decided on; called before anybody is told that it waits. */
  async ask(
    { tenant, owner }: Owner,
    turnId: string,
    { callId = "", deadline = new Date() }: { callId?: string; deadline?: Date | undefined },
  ): Promise<void> {
    await this.#records.query(
      `INSERT INTO tool_approvals (turn_id, call_id, tenant, owner, deadline) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT DO NOTHING`,
      [turnId, callId, tenant, owner, deadline.getTime()],
    );
  }

  /**
   * @returns false also when the deadline has passed
   * @throws AbortError when `signal` fires
   */
  async wait(turnId: string, callId: string, deadline: Date, signal: AbortSignal): Promise<boolean> {
    while (true) {
      const left = deadline.getTime() - Date.now();
      const decided = this.#decided(turnId, AbortSignal.any([signal, timeoutOf(Math.min(left, pollMs))]));
      const undecided = left > 0 && (await this.#isUndecided(turnId, callId));
      if (!undecided) return await this.#take(turnId, callId);
      await decided;
      signal.throwIfAborted();
    }
  }

  /** @throws HeadwaterError FAILED_PRECONDITION, HW_CALL_NOT_WAITING */
  async decide({ tenant, owner }: Owner, turnId: string, callId: string, approved: boolean): Promise<void> {
    const rows = await this.#records.query(
      `UPDATE tool_approvals SET approved = $5
       WHERE turn_id = $1 AND call_id = $2 AND tenant = $3 AND owner = $4 AND approved IS NULL AND deadline > $6
       RETURNING call_id`,
      [turnId, callId, tenant, owner, approved, Date.now()],
    );
    if (rows.length === 0) throw callNotWaiting();
    this.decided(turnId);
  }

  /** A call of the turn was decided on, perhaps by another process. */
  decided(turnId: string): void {
    this.#decisions.dispatchEvent(new Event(turnId));
  }

  /** The turn has ended, or never had a row: what still waits in it waits no more. */
  async forget(turnId: string): Promise<void> {
    await this.#records.query("DELETE FROM tool_approvals WHERE turn_id = $1", [turnId]);
  }

  async #isUndecided(turnId: string, callId: string): Promise<boolean> {
    const rows = await this.#records.query(
      "SELECT call_id FROM tool_approvals WHERE turn_id = $1 AND call_id = $2 AND approved IS NULL",
      [turnId, callId],
    );
    return rows.length > 0;
  }

  /** Nobody can decide any more; what was decided up to now counts, also where clocks differ. */
  async #take(turnId: string, callId: string): Promise<boolean> {
    const [row] = await this.#records.query<{ approved: boolean | null }>(
      "DELETE FROM tool_approvals WHERE turn_id = $1 AND call_id = $2 RETURNING approved",
      [turnId, callId],
    );
    return row?.approved ?? false;
  }

  async #decided(turnId: string, signal: AbortSignal): Promise<void> {
    await once(this.#decisions, turnId, { signal }).catch(() => {});
  }
}

function timeoutOf(ms: number): AbortSignal {
  return AbortSignal.timeout(Math.max(0, ms));
}
