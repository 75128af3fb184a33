import { setTimeout as delay } from "node:timers/promises";
import { HeadwaterError } from "@headwater/errors";
import type { LoadServiceDefinition, WatchLoadResponse } from "@headwater/proto/services/headwater/v1/load";
import type { RpcClient } from "@headwater/rpc";

/** Milliseconds without a report, of which one comes every two seconds, after which a pod is not heard any more. */
const silenceMs = 10_000;
/** Milliseconds that a connection has to come back, as all do now and then for the sake of balance. */
const reconnectMs = 3000;
/** Milliseconds between two attempts; the connection's own back-off comes on top. */
const retryMs = 500;

/**
 * - reporting: what it said last is how it is
 * - lost: it was heard, and is not any more
 * - unheard: it never was
 * - drained: it ended in order, and has nothing any more
 */
export type PodState = "reporting" | "lost" | "unheard" | "drained";

export interface PodOptions {
  /** Closed with the pod. */
  readonly client: RpcClient<typeof LoadServiceDefinition>;
  readonly onReport: () => void;
  /** Told why it is not heard, once for each reason. */
  readonly onTrouble: (error: HeadwaterError) => void;
}

/** Listens to one pod, and goes on trying to as long as it is open. */
export class Pod {
  readonly #options: PodOptions;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #trouble = "";
  #report: WatchLoadResponse | undefined;
  #reportedAt = 0;
  #stream: "open" | "broken" | "ended" = "broken";

  constructor(options: PodOptions) {
    this.#options = options;
    this.#running = this.#listen();
  }

  get state(): PodState {
    if (this.#stream === "ended") return "drained";
    if (!this.#report) return "unheard";
    const patienceMs = this.#stream === "open" ? silenceMs : reconnectMs;
    return performance.now() - this.#reportedAt < patienceMs ? "reporting" : "lost";
  }

  /** What it said last. */
  get report(): WatchLoadResponse | undefined {
    return this.#report;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    this.#options.client.close();
  }

  async #listen(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const stream = new AbortController();
      const begunAt = performance.now();
      const silence = setInterval(() => {
        if (performance.now() - Math.max(begunAt, this.#reportedAt) > silenceMs) stream.abort();
      }, silenceMs / 4);
      try {
        const reports = this.#options.client.call.watchLoad(
          {},
          { signal: AbortSignal.any([signal, stream.signal]) },
        );
        for await (const report of reports) this.#hear(report);
        if (this.#stream === "open") this.#stream = "ended";
      } catch (thrown) {
        if (this.#stream === "open") this.#stream = "broken";
        if (!signal.aborted) this.#tell(HeadwaterError.from(thrown));
      } finally {
        clearInterval(silence);
      }
      await delay(retryMs, undefined, { signal }).catch(() => {});
    }
  }

  #hear(report: WatchLoadResponse): void {
    this.#report = report;
    this.#reportedAt = performance.now();
    this.#stream = "open";
    this.#trouble = "";
    this.#options.onReport();
  }

  #tell(error: HeadwaterError): void {
    // One that has drained is expected to go.
    if (error.reason === this.#trouble || this.#stream === "ended") return;
    this.#trouble = error.reason;
    this.#options.onTrouble(error);
  }
}
