import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import type { Done, Job, JobOf } from "../inference/job.ts";
import type { Engine } from "../inference/thread-pool.ts";
import { readTuning, tune, writeTuning } from "./tuning.ts";

/** An engine whose batches cost as given; the clock says something else, as on a busy machine. */
function engineOfCost(cost: (texts: number, width: number) => number): Engine {
  return {
    accepts: () => true,
    onRoom: () => {},
    async run<Kind extends Job["kind"]>(given: JobOf<Kind>) {
      const job: Job = given;
      assert(job.kind === "encode");
      const width = Math.max(...job.inputs.map(({ ids }) => ids.length));
      const cpuMilliseconds = cost(job.inputs.length, width);
      return { outputs: [], milliseconds: 1000 * Math.random(), cpuMilliseconds } as unknown as Done<Kind>;
    },
  };
}

const machine = { sessions: 2, threadsPerSession: 1, sample: new Int32Array(512), batchTexts: 32 };

test("an engine that pays for each call gets large batches", async () => {
  const { batchTokens } = await tune({
    ...machine,
    engine: engineOfCost((texts, width) => 50 + texts * width * 0.01),
  });
  assert(batchTokens >= 1024, String(batchTokens));
});

test("an engine that pays for tokens alone gets small ones, for the sake of queries", async () => {
  const { batchTokens, tokensPerSecond } = await tune({
    ...machine,
    engine: engineOfCost((texts, width) => texts * width * 0.2),
  });
  assert.equal(batchTokens, 256);
  // Two sessions of 5 tokens a millisecond, less padding.
  assert(tokensPerSecond > 8000 && tokensPerSecond <= 10_000, String(tokensPerSecond));
});

test("what was measured is kept for the same model and machine only", async () => {
  const file = join(await temporaryFolder(), "cache", "tuning.json");
  assert.equal(await readTuning(file, "here"), undefined);
  await writeTuning(file, "here", { batchTokens: 512, tokensPerSecond: 9000 });
  assert.equal((await readTuning(file, "here"))?.batchTokens, 512);
  assert.equal(await readTuning(file, "elsewhere"), undefined);
  await writeFile(file, "{ half");
  assert.equal(await readTuning(file, "here"), undefined);
});
