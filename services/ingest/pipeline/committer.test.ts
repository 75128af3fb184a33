import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogConsumer, LogPosition } from "@headwater/document-log";
import { silentTelemetry } from "@headwater/telemetry";
import { createIngestMetrics } from "../metrics.ts";
import { Committer } from "./committer.ts";
import { Trouble } from "./trouble.ts";

function commitTo(commit: LogConsumer["commit"]): Committer {
  const consumer: LogConsumer = {
    receive: async () => [],
    commit,
    onRevoked: () => {},
    close: async () => {},
  };
  const { log, metrics } = silentTelemetry("ingest");
  return new Committer(consumer, new Trouble(log, createIngestMetrics(metrics)));
}

test("the partitions that have moved are committed at one time", async () => {
  const asked: LogPosition[] = [];
  const all = Promise.withResolvers<void>();
  const committer = commitTo(async (position) => {
    // As the log does it: those that ask together are made durable together.
    asked.push(position);
    if (asked.length === 3) all.resolve();
    await all.promise;
  });
  for (const partition of [0, 1, 2]) committer.received({ partition, offset: partition });
  for (const partition of [0, 1, 2]) committer.done({ partition, offset: partition });
  await committer.close();
  assert.deepEqual(
    asked,
    [0, 1, 2].map((partition) => ({ partition, offset: partition + 1 })),
  );
});

test("what is done in one turn is one commit, and what is done meanwhile is the next", async () => {
  const asked: number[] = [];
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const committer = commitTo(async ({ offset }) => {
    asked.push(offset);
    begun.resolve();
    await ended.promise;
  });
  for (let offset = 0; offset < 4; offset += 1) committer.received({ partition: 0, offset });
  for (const offset of [0, 1, 2]) committer.done({ partition: 0, offset });
  await begun.promise;
  committer.done({ partition: 0, offset: 3 });
  ended.resolve();
  await committer.close();
  assert.deepEqual(asked, [3, 4]);
});

test("what is done as a commit ends is committed too, whatever the moment", async () => {
  const doneAfter = async (steps: number) => {
    const ends = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const committer = commitTo(async ({ offset }) => ends[offset - 1]?.resolve());
    for (const offset of [0, 1]) committer.received({ partition: 0, offset });
    committer.done({ partition: 0, offset: 0 });
    await ends[0]?.promise;
    for (let step = 0; step < steps; step += 1) await Promise.resolve();
    committer.done({ partition: 0, offset: 1 });
    await ends[1]?.promise;
    await committer.close();
  };
  await Promise.all(Array.from({ length: 30 }, (_, steps) => doneAfter(steps)));
});
