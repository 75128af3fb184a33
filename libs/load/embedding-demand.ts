import { codeOf, HeadwaterError, status } from "@headwater/errors";
import type { LaneTokens } from "@headwater/proto/services/headwater/v1/load";
import type { Clock } from "./fading-rate.ts";

/** Who waits for tokens: somebody for an answer, or the index. */
export type DemandLane = keyof LaneTokens;

/** Some that wait. */
export interface WaitingTokens {
  /** So many of them are there. */
  less(tokens: number): void;
  /** The rest does not wait any more. */
  end(): void;
}

/**
 * Milliseconds for which a call that found no worker counts as waiting, though it has gone on without: long enough for
 * the scaler to hear of it, short enough for a worker that is only being replaced.
 */
const unmetMs = 10_000;

/** Beyond so many calls in ten seconds it is known that a worker is wanted. */
const mostUnmet = 1000;

/** What a process has asked the embedding-worker for, or would, and does not have yet. */
export class EmbeddingDemand {
  readonly #clock: Clock;
  readonly #waiting: Record<DemandLane, number> = { urgent: 0, passages: 0 };
  #unmet: { readonly lane: DemandLane; readonly tokens: number; readonly until: number }[] = [];

  constructor(clock: Clock = () => performance.now()) {
    this.#clock = clock;
  }

  /** Tokens begin to wait. */
  wait(lane: DemandLane, tokens: number): WaitingTokens {
    this.#waiting[lane] += tokens;
    let left = tokens;
    const less = (amount: number) => {
      const gone = Math.min(amount, left);
      left -= gone;
      this.#waiting[lane] -= gone;
    };
    return { less, end: () => less(left) };
  }

  /** Tokens wait for as long as the call takes, and for a while longer where it finds no worker. */
  async during<T>(lane: DemandLane, tokens: number, call: () => Promise<T>): Promise<T> {
    const waiting = this.wait(lane, tokens);
    try {
      return await call();
    } catch (thrown) {
      if (foundNobody(thrown)) this.missed(lane, tokens);
      throw thrown;
    } finally {
      waiting.end();
    }
  }

  /** Tokens found no worker. */
  missed(lane: DemandLane, tokens: number): void {
    this.#unmet = [...this.#stillUnmet(), { lane, tokens, until: this.#clock() + unmetMs }].slice(-mostUnmet);
  }

  get tokens(): LaneTokens {
    const tokens = { ...this.#waiting };
    for (const unmet of this.#stillUnmet()) tokens[unmet.lane] += unmet.tokens;
    // Parts of documents are shares of tokens; what is left of one is a whole one.
    return { urgent: Math.ceil(tokens.urgent), passages: Math.ceil(tokens.passages) };
  }

  #stillUnmet() {
    const now = this.#clock();
    return this.#unmet.filter(({ until }) => until > now);
  }
}

function foundNobody(thrown: unknown): boolean {
  return codeOf(HeadwaterError.from(thrown).code) === status.UNAVAILABLE;
}
