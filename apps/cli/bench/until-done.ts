import { setTimeout as delay } from "node:timers/promises";
import type { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import type { RpcClient } from "@headwater/rpc";

/** Milliseconds between two questions for the lag; each costs the service some 3 ms. */
const pollMs = { shortest: 20, near: 100, longest: 2000 };
/** Documents that may be committed at once, by one commit of the indexes: so near to the end it may come any moment. */
const atOnce = 128;

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
    // Half of the time that is left at the speed so far: seldom while there is much to do, often at the end, which must
    // not be counted long after it was.
    const perDocument = (performance.now() - started) / Math.max(1, documents - lag);
    const far = (perDocument * (lag - atOnce)) / 2;
    const near = Math.max(pollMs.shortest, Math.min(pollMs.near, (perDocument * lag) / 4));
    await delay(Math.min(pollMs.longest, Math.max(near, far)));
  }
}
