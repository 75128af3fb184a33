import { setTimeout as delay } from "node:timers/promises";
import type { DescMethod } from "@bufbuild/protobuf";
import type { NodeTransport } from "@headwater/client/node";
import { backoffMs } from "@headwater/resilience";
import { Refusals } from "./refusals.ts";

/** A server that does not take a connection within so many milliseconds is passed over. */
const connectTimeoutMs = 2000;

/** One server behind a name: its connection, and what is known of it. */
export class ServerConnection {
  readonly address: string;
  readonly transport: NodeTransport;
  readonly #refusals = new Refusals();
  /** Calls under way. */
  calls = 0;
  /** The name does not lead here any more: closed when its calls have ended. */
  #leaving = false;
  #failures = 0;
  #resting = 0;

  constructor(address: string, transport: NodeTransport) {
    this.address = address;
    this.transport = transport;
  }

  /** True while it is better to ask others: it did not answer a moment ago. */
  get resting(): boolean {
    return performance.now() < this.#resting;
  }

  /** What the server would refuse a call of the method with; undefined where it may be asked. */
  refusal(method: DescMethod): unknown {
    return this.#refusals.of(method, this.calls);
  }

  /** To be told of each call that failed, while it is still counted. */
  failed(method: DescMethod, thrown: unknown): void {
    this.#refusals.learn(method, thrown, this.calls - 1);
  }

  /** @returns false where no connection is to be had now */
  async open(): Promise<boolean> {
    const waited = new AbortController();
    const late = delay(connectTimeoutMs, false, { signal: waited.signal }).catch(() => false);
    const opened = await Promise.race([this.transport.open(), late]);
    waited.abort();
    if (opened) this.#failures = 0;
    else {
      this.#failures += 1;
      this.#resting = performance.now() + backoffMs(this.#failures);
    }
    return opened;
  }

  /** @returns to be called when the call has ended */
  take(): () => void {
    this.calls += 1;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.calls -= 1;
      if (this.#leaving && this.calls === 0) this.transport.close();
    };
  }

  stay(): void {
    this.#leaving = false;
  }

  leave(): void {
    this.#leaving = true;
    if (this.calls === 0) this.transport.close();
  }
}
