import type { Counter, Logger } from "@headwater/telemetry";
import type { ClientFault, ServerFault } from "./tls-metrics.ts";

/** One line for each reason in so many milliseconds: whoever knocks all the time must not fill the log. */
const quietMs = 1000;

/** Counts each refusal, and logs the first of its kind and then one a second. */
export class RefusalLog {
  readonly #log: Logger;
  readonly #counter: Counter<"side" | "reason">;
  readonly #told = new Map<string, { at: number; since: number }>();

  constructor(log: Logger, counter: Counter<"side" | "reason">) {
    this.#log = log;
    this.#counter = counter;
  }

  add(side: "server" | "client", reason: ClientFault | ServerFault, fields: object): void {
    this.#counter.inc({ side, reason });
    const last = this.#told.get(`${side} ${reason}`);
    const now = performance.now();
    if (last && now - last.at < quietMs) {
      last.since += 1;
      return;
    }
    this.#told.set(`${side} ${reason}`, { at: now, since: 0 });
    // Whoever only looks whether the port is open is nobody's worry.
    const level = reason === "left" ? "debug" : "warn";
    const whom = side === "server" ? "a client" : "a server";
    this.#log[level]({ reason, ...fields, unlogged: last?.since ?? 0 }, `${whom} was refused`);
  }
}
