import { setTimeout as delay } from "node:timers/promises";

/** A call that an installation is asked for again and again. */
export interface LoadCall {
  readonly name: string;
  /** @throws where the call failed, or its result is not whole */
  run(): Promise<void>;
}

export interface LoadReport {
  readonly calls: number;
  /** "name: message" of each call that failed. */
  readonly failures: readonly string[];
  /** Of all calls, in milliseconds. */
  readonly slowest: number;
}

/** Calls that run side by side, each begun again as it ends, until they are stopped. */
export function startLoad(calls: readonly LoadCall[], callersEach: number) {
  const stopping = new AbortController();
  const failures: string[] = [];
  let count = 0;
  let slowest = 0;
  const caller = async (call: LoadCall) => {
    while (!stopping.signal.aborted) {
      const started = performance.now();
      try {
        await call.run();
      } catch (thrown) {
        failures.push(`${call.name}: ${String(thrown)}`);
        // One that fails at once must not fill the memory with failures.
        await delay(200);
      }
      slowest = Math.max(slowest, performance.now() - started);
      count += 1;
    }
  };
  const callers = calls.flatMap((call) => Array.from({ length: callersEach }, () => caller(call)));
  return {
    get calls() {
      return count;
    },
    /** Lets the calls under way end. */
    async stop(): Promise<LoadReport> {
      stopping.abort();
      await Promise.all(callers);
      return { calls: count, failures, slowest };
    },
  };
}
