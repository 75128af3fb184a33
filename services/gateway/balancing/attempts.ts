import { setTimeout as delay } from "node:timers/promises";
import type { RetryBudget } from "@headwater/resilience";
import { backoffMs } from "@headwater/resilience";

/** Attempts of one call in all. */
const mostAttempts = 3;
/** A stream that was under way waits so long for a server to go on with, in milliseconds: a pod may be replaced by one. */
const patienceMs = 30_000;

export interface AttemptsOptions {
  readonly budget: RetryBudget;
  readonly signal: AbortSignal | undefined;
  /** Once it has been answered, the call goes on for as long as a pod may take to be replaced, not a few times. */
  readonly patient: boolean;
}

/** How often one call is made. */
export class Attempts {
  readonly #options: AttemptsOptions;
  #failed = 0;
  #answered = false;
  #lostAt = 0;

  constructor(options: AttemptsOptions) {
    this.#options = options;
  }

  /** An answer came. */
  answered(): void {
    if (!this.#answered && this.#failed === 0) this.#options.budget.earn();
    this.#answered = true;
    // A search that ends its server each time must not do so to all of them.
    if (this.#options.patient) this.#failed = 0;
  }

  /**
   * Waits until the next attempt is due, after one that was lost.
   *
   * @returns false where there is to be none
   * @throws AbortError when the caller leaves
   */
  async next(): Promise<boolean> {
    if (this.#failed === 0) this.#lostAt = performance.now();
    this.#failed += 1;
    if (!this.#mayGoOn()) return false;
    // Others are likely to be there at once; who comes back needs time.
    if (this.#failed > 1)
      await delay(backoffMs(this.#failed - 1), undefined, { signal: this.#options.signal });
    return true;
  }

  /** A stream that was under way is no call more: only what had not begun is held against the budget. */
  #mayGoOn(): boolean {
    const { patient, budget } = this.#options;
    if (patient && this.#answered) return performance.now() - this.#lostAt < patienceMs;
    return this.#failed < mostAttempts && budget.spend();
  }
}
