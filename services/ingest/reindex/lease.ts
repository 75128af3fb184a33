import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { GenerationLedger } from "../catalog/generation-ledger.ts";
import { reindexRunning } from "../catalog/generation-ledger.ts";
import type { Trouble } from "../pipeline/trouble.ts";

/** Milliseconds for which a process that has died holds up the next reindex. */
export const defaultLeaseMs = 15_000;
/** A lease is renewed so many times in its length. */
const renewals = 3;

/** The right to work on the generation that does not serve: of all processes one has it. */
export class Lease {
  readonly owner: string = randomUUID();
  readonly #ledger: GenerationLedger;
  readonly #trouble: Trouble;
  readonly #timer: NodeJS.Timeout;

  private constructor(ledger: GenerationLedger, trouble: Trouble, leaseMs: number) {
    this.#ledger = ledger;
    this.#trouble = trouble;
    // One that could not be renewed is lost only once another process takes it, and each step looks whether one has.
    const renew = () =>
      ledger.renew(this.owner, leaseMs).catch((thrown: unknown) => trouble.note("reindex lease", thrown));
    this.#timer = setInterval(() => void renew(), leaseMs / renewals);
    this.#timer.unref();
  }

  /**
   * Waits for the lease of a process that may have died.
   *
   * @throws HeadwaterError ABORTED where that process lives
   */
  static async take(
    ledger: GenerationLedger,
    trouble: Trouble,
    leaseMs: number,
    signal: AbortSignal,
  ): Promise<Lease> {
    const lease = new Lease(ledger, trouble, leaseMs);
    try {
      const pauseMs = leaseMs / renewals;
      // A pause more than a lease is long: what is held still was renewed meanwhile.
      for (let pauses = 0; !(await ledger.acquire(lease.owner, leaseMs)); pauses += 1) {
        if (pauses > renewals + 1) throw reindexRunning();
        await delay(pauseMs, undefined, { signal });
      }
      return lease;
    } catch (thrown) {
      clearInterval(lease.#timer);
      throw thrown;
    }
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    try {
      await this.#ledger.release(this.owner);
    } catch (thrown) {
      // It runs out by itself.
      this.#trouble.note("reindex lease", thrown);
    }
  }
}
