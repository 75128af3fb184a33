import type { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import type { RpcClient } from "@headwater/rpc";
import { z } from "zod";
import type { JobKind } from "../job.ts";
import { readInput } from "../job-input.ts";

const inputSchema = z.strictObject({});

/** Parses and embeds all documents of the tenant anew, from their originals. */
export function reindexJob(ingest: RpcClient<IngestServiceDefinition>): JobKind {
  return {
    name: "reindex",
    concurrency: 1,
    check: (input) => void readInput(inputSchema, input),
    async run({ tenant }, { signal, report }) {
      let [documents, failed] = [0, 0];
      for await (const progress of ingest.call.reindex({ tenant }, { signal })) {
        [documents, failed] = [progress.done, progress.failed];
        report({ done: progress.done, total: progress.total, note: "reindexing" });
      }
      return { documents, failed };
    },
  };
}
