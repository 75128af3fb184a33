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
  const first = setTimeout(() => ending.abort(modelTimeout(name, "first", firstTokenMs)), firstTokenMs);
  // One for the whole stream: to make a timer and to clear it costs more than to set it back.
  let next: NodeJS.Timeout | undefined;
  let waits = false;
  return {
    signal: ending.signal,
    waiting() {
      waits = true;
      next?.refresh();
    },
    tokenCame() {
      waits = false;
      clearTimeout(first);
      next ??= setTimeout(() => {
        if (waits) ending.abort(modelTimeout(name, "next", nextTokenMs));
      }, nextTokenMs);
    },
    end() {
      clearTimeout(first);
      clearTimeout(next);
      ending.abort();
    },
  };
}
