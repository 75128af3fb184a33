import { createHeadwaterClient } from "@headwater/client";
import { createNodeTransport } from "@headwater/client/node";
import type { Environment } from "@headwater/settings";
import type { ServiceName } from "../stack/stack.ts";
import { startStack } from "../stack/stack.ts";
import type { Progress } from "./progress.ts";

export interface RebuiltIndexes {
  readonly documents: number;
  /** Dead letters from now on. */
  readonly failed: number;
}

const graceMs = 8000;
const anyPort = "127.0.0.1:0";

/**
 * Makes the indexes anew from the originals, as `headwater reindex` does, by an ingest in this process that nobody else
 * reaches. It embeds through HEADWATER_EMBEDDING_ADDRESS, so that all workers of a cluster help; where that is not set,
 * by a worker in this process too. Events in the log that the records do not know are taken in beside it.
 */
export async function rebuildIndexes(
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
  environment: Environment = process.env,
): Promise<RebuiltIndexes> {
  const services: readonly ServiceName[] = environment["HEADWATER_EMBEDDING_ADDRESS"]
    ? ["ingest"]
    : ["embedding-worker", "ingest"];
  const apart = { ...environment, HEADWATER_INGEST_LISTEN: anyPort, HEADWATER_EMBEDDING_LISTEN: anyPort };
  const stack = await startStack(services, apart, "error");
  try {
    const transport = createNodeTransport({ address: stack.address("ingest") });
    try {
      const client = createHeadwaterClient({ transport });
      let rebuilt = { documents: 0, failed: 0 };
      for await (const { done, total, failed } of client.reindex({ action: "resume", signal })) {
        rebuilt = { documents: done, failed };
        onProgress({ step: "indexes", done, total });
      }
      // The generation before, which was empty or of the installation that was.
      for await (const _ of client.reindex({ action: "finish", signal }));
      return rebuilt;
    } finally {
      transport.close();
    }
  } finally {
    await stack.close(graceMs);
  }
}
