/**
 * The double as a process of its own: `node qdrant-double-main.ts [--port 6333] [--data journal.jsonl]`. Prints its
 * address as one line, and ends by SIGTERM. With --data it has all acknowledged writes again after a `kill -9`.
 */
import { once } from "node:events";
import { parseArgs } from "node:util";
import { startQdrantDouble } from "./qdrant-double.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    data: { type: "string" },
    "api-key": { type: "string" },
  },
});
const double = await startQdrantDouble({
  port: Number(values.port),
  ...(values.data !== undefined && { journal: values.data }),
  ...(values["api-key"] !== undefined && { apiKey: values["api-key"] }),
});
process.stdout.write(`${double.url}\n`);
await once(process, "SIGTERM");
await double.stop();
