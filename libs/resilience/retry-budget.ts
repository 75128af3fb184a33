/** What a call that succeeds without a retry earns: so at most one call in ten is a retry, over time. */
const earnedByCall = 0.1;

/**
 * Bounds retries to a share of the calls, as gRPC's retry throttling does (gRFC A6): when a server is overloaded, every
 * caller trying again would multiply what overloads it.
 */
export class RetryBudget {
  readonly #mostSaved: number;
  #tokens: number;

  /** @param mostSaved retries that may come at once after a quiet time, such as when a server takes its calls with it */
  constructor(mostSaved = 10) {
    this.#mostSaved = mostSaved;
    this.#tokens = mostSaved;
  }

  earn(): void {
    this.#tokens = Math.min(this.#mostSaved, this.#tokens + earnedByCall);
  }

  /** False: the budget is spent, the call fails now. */
  spend(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
