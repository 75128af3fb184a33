/** Tokens after which an observation has lost most of its weight: some seconds of full load. */
const memoryTokens = 50_000;

/** What the model does in a second, as lately seen. */
export class Throughput {
  readonly #sessions: number;
  #perSessionMs: number;

  /** @param tokensPerSecond of all sessions together, as measured at the start */
  constructor(sessions: number, tokensPerSecond: number) {
    this.#sessions = sessions;
    this.#perSessionMs = tokensPerSecond / 1000 / sessions;
  }

  /** One batch of one session. */
  record(tokens: number, milliseconds: number): void {
    if (milliseconds <= 0) return;
    const weight = Math.min(1, tokens / memoryTokens);
    this.#perSessionMs += weight * (tokens / milliseconds - this.#perSessionMs);
  }

  get tokensPerSecond(): number {
    return this.#perSessionMs * 1000 * this.#sessions;
  }

  /** Milliseconds that `tokens` take. */
  millisecondsFor(tokens: number): number {
    return tokens / (this.#perSessionMs * this.#sessions);
  }
}
