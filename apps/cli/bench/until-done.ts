import { setTimeout as delay } from "node:timers/promises";
import type { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import type { RpcClient } from "@headwater/rpc";

/** Milliseconds between two questions for the lag; each costs the service queries of its own. */
const pollMs = { shortest: 20, longest: 2000 };

/**
 * Waits until the consumer has gone past all that is in the log.
 *
 * @param documents that were put into it since `started`
 * @param started in `performance.now()` milliseconds
 */
export async function untilDone(
  client: RpcClient<IngestServiceDefinition>,
  documents: number,
  started: number,
): Promise<void> {
  while (true) {
    const { partitions } = await client.call.getPipeline({});
    const lag = partitions.reduce(
      (sum, { endOffset, committedOffset }) => sum + endOffset - committedOffset,
      0,
    );
    if (lag <= 0) return;
    // A quarter of the time that is left at the speed so far: seldom while there is much to do, often at the end, which
    // must not be counted long after it was.
    const perDocument = (performance.now() - started) / Math.max(1, documents - lag);
    await delay(Math.min(pollMs.longest, Math.max(pollMs.shortest, (perDocument * lag) / 4)));
  }
}
