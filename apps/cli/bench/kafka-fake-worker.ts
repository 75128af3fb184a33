/**
 * Body of a process that stands for the embedding-worker and computes nothing: `node kafka-fake-worker.ts host:port waitMs`. It
 * lets each passage wait for so many milliseconds, one after the other, as one that is computed elsewhere does.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { readEmbeddingWorkerConfig } from "@headwater/embedding-worker/config";
import { HeadwaterError, status } from "@headwater/errors";
import type { EmbedRequest } from "@headwater/proto/services/headwater/v1/embedding";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import { startRpcServer } from "@headwater/rpc";
import { createTelemetry } from "@headwater/telemetry";

const dimensions = 384;
const fingerprint = "bench-fake";
const [address = "", waitMs = 0] = [process.argv[2], Number(process.argv[3])];
const { modelDir } = readEmbeddingWorkerConfig({});
const tokenizerJson = await readFile(join(modelDir, "tokenizer.json"));
/** When the passages that have come so far are done. */
let busyUntil = 0;

const server = await startRpcServer({
  address,
  definition: EmbeddingServiceDefinition,
  implementation: {
    async *embed(requests: AsyncIterable<EmbedRequest>) {
      for await (const { sequence, texts } of requests) {
        if (waitMs > 0) await takeTurn(texts.length * waitMs);
        yield { sequence, embeddings: texts.map((text) => ({ vector: vectorOf(text) })) };
      }
    },
    embedQuery: unused,
    rerank: unused,
    describe: async () => ({ model: "fake", fingerprint, dimensions, maxTokens: 512 }),
    getTokenizer: async () => ({ tokenizerJson, fingerprint }),
  },
  telemetry: createTelemetry("embedding-worker", { logLevel: "info" }),
  checkReadiness: async () => {},
});
process.once("SIGTERM", () => void server.close(0));

async function takeTurn(milliseconds: number): Promise<void> {
  busyUntil = Math.max(busyUntil, performance.now()) + milliseconds;
  await delay(busyUntil - performance.now());
}

/** Of length 1, and the same for the same text. */
function vectorOf(text: string): Uint8Array {
  const bytes = createHash("shake256", { outputLength: dimensions }).update(text).digest();
  const values = Float32Array.from(bytes, (byte) => byte - 127.5);
  const length = Math.hypot(...values);
  return new Uint8Array(values.map((value) => value / length).buffer);
}

async function unused(): Promise<never> {
  throw new HeadwaterError({
    code: status.UNIMPLEMENTED,
    reason: "HW_METHOD_UNKNOWN",
    message: "Not faked.",
  });
}
