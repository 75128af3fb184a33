import { modelTimeout } from "./model-errors.ts";

/** Ends a model's request when a token is too long in coming. */
export interface TokenTimer {
  /** Fires with the error to throw, or at `end`. */
  readonly signal: AbortSignal;
  /** The next piece was asked for. A reader who pauses between pieces is not a model that is silent. */
  waiting(): void;
  tokenCame(): void;
  end(): void;
}

export function createTokenTimer(name: string, firstTokenMs: number, nextTokenMs: number): TokenTimer {
  const ending = new AbortController();
  const timeout = (which: "first" | "next", afterMs: number) =>
    setTimeout(() => ending.abort(modelTimeout(name, which, afterMs)), afterMs);
  let timer = timeout("first", firstTokenMs);
  let started = false;
  return {
    signal: ending.signal,
    waiting() {
      if (!started) return;
      clearTimeout(timer);
      timer = timeout("next", nextTokenMs);
    },
    tokenCame() {
      started = true;
      clearTimeout(timer);
    },
    end() {
      clearTimeout(timer);
      ending.abort();
    },
  };
}
