import { setTimeout as delay } from "node:timers/promises";

/** Lets requests to one host go one after the other, with a pause between them. */
export class HostPace {
  readonly #pauseMs: number;
  /** When the next request may begin, by host, on the clock of `performance.now()`. */
  readonly #next = new Map<string, number>();

  /** @param pauseMs between two requests to a host, unless it asks for more */
  constructor(pauseMs: number) {
    this.#pauseMs = pauseMs;
  }

  /** Waits until the host may be asked. @param ownPauseMs that the host asks for */
  async turn(host: string, ownPauseMs: number, signal: AbortSignal): Promise<void> {
    const waitMs = (this.#next.get(host) ?? 0) - performance.now();
    if (waitMs > 0) await delay(waitMs, undefined, { signal });
    this.holdOff(host, Math.max(this.#pauseMs, ownPauseMs));
  }

  /** The host is not asked for so long from now. */
  holdOff(host: string, ms: number): void {
    const next = performance.now() + ms;
    if (next > (this.#next.get(host) ?? 0)) this.#next.set(host, next);
  }
}
