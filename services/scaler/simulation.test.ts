import assert from "node:assert/strict";
import { test } from "node:test";
import { embeddingWork } from "./embedding-work.ts";
import type { FleetView } from "./fleet.ts";
import type { Scenario } from "./testing/scaling-simulation.ts";
import { quantile, simulate } from "./testing/scaling-simulation.ts";

const minutes = 60;
const target = 5;
/** Tokens a second of a pod, as two cores do with the bundled model. */
const capacity = 8000;

const ours: Scenario["work"] = (workers, callers) => embeddingWork(workers, callers, target, capacity);

/** What waits, divided by what a pod does: the plain idea, to compare with. */
const queueAlone: Scenario["work"] = ({ reporting }: FleetView) =>
  reporting.reduce(
    (sum, { model }) => sum + (model?.urgent?.queuedTokens ?? 0) + (model?.passages?.queuedTokens ?? 0),
    0,
  ) / capacity;

const quiet: Omit<Scenario, "work"> = {
  ...{ seconds: 80 * minutes, searches: () => 0, passages: () => 0 },
  // A query and the rerank of 10 passages of 200 tokens: a quarter of a second of a pod.
  ...{ searchTokens: 2000, ingestWindow: 100_000, capacity, startS: 10, target },
  autoscaler: { minReplicas: 1, maxReplicas: 20, everyS: 15, downStabilizationS: 300 },
};

/** Searches a second: a quiet start, ten minutes in which they become eleven times as many, two with a rush, and down again. */
function day(second: number): number {
  const minute = second / minutes;
  if (minute < 5) return 1.2;
  if (minute < 15) return 1.2 + (minute - 5) * 1.2;
  if (minute >= 30 && minute < 32) return 22;
  if (minute < 45) return 13.2;
  return minute < 50 ? 13.2 - (minute - 45) * 2.4 : 1.2;
}

test("searches: there are pods before anybody waits, and they stay as long as they are needed", () => {
  const course = simulate({ ...quiet, searches: day, work: ours });
  const plain = simulate({ ...quiet, searches: day, work: queueAlone });
  // A search alone takes 0.25 s.
  assert(quantile(course.latencies, 0.95) <= 0.5, `p95 ${quantile(course.latencies, 0.95)} s`);
  assert(quantile(course.latencies, 0.99) <= 1, `p99 ${quantile(course.latencies, 0.99)} s`);
  assert(quantile(plain.latencies, 0.95) > 10 * quantile(course.latencies, 0.95));
  assert.equal(course.turns, 1, course.replicas.join());
  assert(plain.turns > 5, "the plain idea goes up and down");
  assert.deepEqual([course.replicas.at(0), course.replicas.at(-1)], [1, 1]);
});

test("a steady load has a steady number of pods, whatever its size", () => {
  for (const searches of [1, 3.9, 8, 13]) {
    const { replicas } = simulate({ ...quiet, searches: () => searches, work: ours });
    const settled = replicas.slice(replicas.length / 2);
    assert(new Set(settled).size <= 2, `${searches} a second: ${settled.join()}`);
    const needed = (2 * searches * quiet.searchTokens) / capacity;
    const most = Math.max(...settled);
    assert(most >= needed - 1 && most <= needed + 2, `${most} pods for ${needed}`);
  }
});

test("a backlog of passages takes all pods that it may, and gives them back one after the other", () => {
  const bulk: Scenario = {
    ...quiet,
    searches: () => 0.5,
    // 36 million tokens within a minute: 75 minutes of one pod.
    passages: (second) => (second >= 300 && second < 360 ? 600_000 : 0),
    work: ours,
  };
  const { replicas, turns, backlog, latencies, podSeconds } = simulate(bulk);
  assert.equal(Math.max(...replicas), 20);
  assert.equal(turns, 1, replicas.join());
  assert.equal(backlog, 0);
  assert.equal(replicas.at(-1), 1);
  assert(quantile(latencies, 0.95) <= 1, "queries go ahead of passages");
  const half = simulate({ ...bulk, autoscaler: { ...quiet.autoscaler, maxReplicas: 10 } });
  assert(half.backlog === 0 && half.podSeconds < podSeconds * 1.2);
});
