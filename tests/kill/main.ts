import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { killIngest } from "./kill-ingest.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "20" },
    documents: { type: "string", default: "400" },
  },
});

const folder = await mkdtemp(join(tmpdir(), "headwater-kill-"));
try {
  await killIngest({
    folder,
    kills: Number(values.count),
    documents: Number(values.documents),
    onProgress: (message) => process.stdout.write(`${message}\n`),
  });
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
