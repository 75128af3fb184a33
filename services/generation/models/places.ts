import { HeadwaterError, status } from "@headwater/errors";
import type { LanguageModel, ModelEvent, ModelRequest } from "@headwater/language-model";

/** Milliseconds that a caller waits for a place; a person who waits for an answer hardly notices. */
const longestWaitMs = 2000;

/** Places of a model that serves so many answers at once; as many callers again may wait, in order, for a short time. */
export class Places {
  readonly #model: string;
  readonly #limit: number;
  readonly #waitMs: number;
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  constructor(model: string, limit: number, waitMs: number = longestWaitMs) {
    this.#model = model;
    this.#limit = limit;
    this.#waitMs = waitMs;
  }

  /**
   * Takes a place; call the result, once, to give it back.
   *
   * @throws HeadwaterError RESOURCE_EXHAUSTED, HW_MODEL_FULL with a retry hint
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#taken < this.#limit) this.#taken += 1;
    else await this.#wait(signal);
    return () => this.#leave();
  }

  /** A place goes from hand to hand: it is never free between two callers, so nobody can come in between. */
  async #wait(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= this.#limit) throw this.#full();
    const turn = Promise.withResolvers<void>();
    // At once: a place must not be handed to somebody who has given up.
    const giveUp = (reason: unknown) => {
      this.#waiting.delete(turn.resolve);
      turn.reject(reason);
    };
    const timer = setTimeout(() => giveUp(this.#full()), this.#waitMs);
    const leave = () => giveUp(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    this.#waiting.add(turn.resolve);
    try {
      await turn.promise;
    } finally {
      signal.removeEventListener("abort", leave);
      clearTimeout(timer);
    }
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#taken -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }

  #full(): HeadwaterError {
    return new HeadwaterError({
      code: status.RESOURCE_EXHAUSTED,
      reason: "HW_MODEL_FULL",
      message: `All ${this.#limit} places of model "${this.#model}" are taken.`,
      action: "Try again shortly, name another model, or raise its max_concurrent.",
      retryAfterMs: this.#waitMs,
    });
  }
}

/** Bounds how many answers a model gives at once. */
export function withPlaces(model: LanguageModel, limit: number | undefined): LanguageModel {
  if (limit === undefined) return model;
  const places = new Places(model.name, limit);
  return {
    ...model,
    async *generate(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
      const leave = await places.enter(signal);
      try {
        yield* model.generate(request, signal);
      } finally {
        leave();
      }
    },
  };
}
