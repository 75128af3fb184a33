import { setTimeout as delay } from "node:timers/promises";
import type { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import type { RpcClient } from "@headwater/rpc";

/** Milliseconds between two questions for the lag; each costs the service some 3 ms. */
const pollMs = { shortest: 20, longest: 2000 };
/** Of the time that is left, as far as it can be told: what ends sooner than that is not counted long after. */
const share = 0.25;

interface Commit {
  readonly lag: number;
  /** `performance.now()` milliseconds. */
  readonly at: number;
}

/** Waits until the consumer has gone past all that is in the log, and notices it within some 20 ms. */
export async function untilDone(client: RpcClient<IngestServiceDefinition>): Promise<void> {
  let first: Commit | undefined;
  let last: Commit | undefined;
  while (true) {
    const { partitions } = await client.call.getPipeline({});
    const lag = partitions.reduce(
      (sum, { endOffset, committedOffset }) => sum + endOffset - committedOffset,
      0,
    );
    if (lag <= 0) return;
    // Offsets are committed for a hundred documents at a time: between two commits the lag stands still, work does not.
    if (lag !== last?.lag) last = { lag, at: performance.now() };
    first ??= last;
    await delay(Math.min(pollMs.longest, Math.max(pollMs.shortest, share * timeLeft(first, last))));
  }
}

/** Milliseconds. By the speed from one commit to another; from the start on it would be too slow by all that is under way. */
function timeLeft(first: Commit, last: Commit): number {
  // Nothing is known yet: as long again as it has been.
  if (first.lag <= last.lag) return performance.now() - first.at;
  const perDocument = (last.at - first.at) / (first.lag - last.lag);
  return perDocument * last.lag - (performance.now() - last.at);
}
