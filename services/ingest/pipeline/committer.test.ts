import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogConsumer, LogPosition } from "@headwater/document-log";
import { silentTelemetry } from "@headwater/telemetry";
import { createIngestMetrics } from "../metrics.ts";
import { Committer } from "./committer.ts";
import { Trouble } from "./trouble.ts";

test("the partitions that have moved are committed at one time", async () => {
  const asked: LogPosition[] = [];
  const all = Promise.withResolvers<void>();
  const consumer: LogConsumer = {
    receive: async () => [],
    // As the log does it: those that ask together are made durable together.
    commit: async (position) => {
      asked.push(position);
      if (asked.length === 3) all.resolve();
      await all.promise;
    },
    onRevoked: () => {},
    close: async () => {},
  };
  const { log, metrics } = silentTelemetry("ingest");
  const committer = new Committer(consumer, new Trouble(log, createIngestMetrics(metrics)));
  for (const partition of [0, 1, 2]) committer.received({ partition, offset: partition });
  for (const partition of [0, 1, 2]) committer.done({ partition, offset: partition });
  await committer.close();
  assert.deepEqual(
    asked,
    [0, 1, 2].map((partition) => ({ partition, offset: partition + 1 })),
  );
});
