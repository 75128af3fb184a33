import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { test } from "node:test";
import { silentTelemetry } from "@headwater/telemetry";
import { realServer, temporaryFolder } from "@headwater/testing";
import { openCache } from "./caches.ts";
import { readEmbeddingWorkerConfig } from "./config.ts";
import { createEmbeddingMetrics } from "./metrics.ts";

const url = realServer("REDIS_URL");
if (url !== undefined)
  test("with Redis what one worker computed another finds, and the disk is not used", async () => {
    const folder = await temporaryFolder();
    const settings = readEmbeddingWorkerConfig({
      HEADWATER_REDIS_URL: url,
      HEADWATER_REDIS_PREFIX: `test-${randomUUID()}:`,
      HEADWATER_REDIS_TTL_S: "60",
      HEADWATER_REDIS_TIMEOUT_MS: "5000",
    }).cacheSettings;
    const open = () => {
      const telemetry = silentTelemetry("embedding-worker");
      const metrics = createEmbeddingMetrics(telemetry.metrics);
      const size = { memoryBytes: 2 ** 20, diskBytes: 2 ** 20 };
      return openCache("vectors", { folder, size, settings, metrics, telemetry });
    };
    const [one, other] = [await open(), await open()];
    await one.setMany([{ key: "k", value: Buffer.from("vector") }]);
    const [found] = await other.getMany(["k"]);
    assert.equal(found && Buffer.from(found).toString(), "vector");
    await Promise.all([one.close(), other.close()]);
    assert.deepEqual(await readdir(folder), []);
  });
