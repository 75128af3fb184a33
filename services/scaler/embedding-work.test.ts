import assert from "node:assert/strict";
import { test } from "node:test";
import { embeddingWork } from "./embedding-work.ts";
import { caller, fleet, worker } from "./testing/reports.ts";

const target = 5;
const usual = 500;
const work = (...given: [workers: ReturnType<typeof fleet>, ...callers: ReturnType<typeof fleet>[]]) =>
  embeddingWork(given[0], given.slice(1), target, usual);
/** What an HPA makes of it. */
const replicas = (value: number) => Math.ceil(value / target);

test("what waits is done within the target, by pods that are as fast as they say", () => {
  assert.equal(work(fleet([worker({ queued: { passages: 20_000 } })])), 20);
  assert.equal(work(fleet([worker({ capacity: 4000, queued: { passages: 20_000 } })])), 5);
  const unlike = [worker({ capacity: 500, queued: { passages: 1000 } }), worker({ capacity: 1500 })];
  assert.equal(work(fleet(unlike)), 1);
});

test("pods that are busy are needed, however short their queues are", () => {
  const busy = Array.from({ length: 4 }, () => worker({ rate: { passages: 950 } }));
  assert.equal(replicas(work(fleet(busy))), 4);
  const halfBusy = Array.from({ length: 4 }, () => worker({ rate: { passages: 450 } }));
  assert.equal(replicas(work(fleet(halfBusy))), 2);
});

test("pods that are busy while work waits are not enough", () => {
  const full = Array.from({ length: 2 }, () =>
    worker({ queued: { passages: 4000 }, rate: { passages: 1000 } }),
  );
  assert.equal(replicas(work(fleet(full))), 4);
});

test("queries and reranks count twice, waiting and done: a pod is full of them at half of its throughput", () => {
  assert.equal(work(fleet([worker({ queued: { urgent: 1000 } })])), 2);
  assert.equal(work(fleet([worker({ rate: { urgent: 500 } })])), target);
  assert.equal(replicas(work(fleet([worker({ rate: { urgent: 600 } })]))), 2);
});

test("what callers wait for and what is in the queues are the same tokens", () => {
  const workers = fleet([worker({ queued: { passages: 6000, urgent: 100 } })]);
  const atWorkers = work(workers);
  assert.equal(work(workers, fleet([caller({ passages: 4000 })])), atWorkers);
  const ingests = fleet([caller({ passages: 4000 }), caller({ passages: 6000 })]);
  assert.equal(work(workers, ingests), atWorkers + 4);
});

test("with no worker at all those who wait are heard, by a capacity that is assumed", () => {
  assert.equal(work(fleet([]), fleet([caller({ passages: 5000 })]), fleet([caller({ urgent: 250 })])), 11);
  assert.equal(work(fleet([])), 0);
  assert.equal(work(fleet([worker({ capacity: 0, queued: { passages: 500 } })])), 1);
});

test("pods of which nothing is known are never the reason for fewer, nor for more than there are", () => {
  const idle = worker();
  const held = (view: ReturnType<typeof fleet>) => replicas(work(view));
  // Heard before and lost: as it was, and full at least.
  const loaded = worker({ queued: { passages: 12_000 }, rate: { passages: 1000 } });
  assert.equal(held(fleet([loaded])), 4);
  assert.equal(held(fleet([], { lost: [loaded] })), 4);
  assert.equal(held(fleet([], { lost: [idle, idle, idle] })), 3);
  assert.equal(held(fleet([idle, idle], { lost: [idle] })), 1);
  // Never heard: full, which a pod that has just started is taken for too.
  assert.equal(held(fleet([], { unheard: 3 })), 3);
  const busy = worker({ rate: { passages: 1200 } });
  assert.equal(held(fleet([busy])), 2);
  assert.equal(held(fleet([busy], { unheard: 1 })), 2);
  assert.equal(held(fleet([busy, busy, busy], { unheard: 1 })), 4);
  assert.equal(held(fleet([idle], { lost: [idle], unheard: 2 })), 3);
});
