import assert from "node:assert/strict";
import { test } from "node:test";
import type { Plan } from "../../scripts/capacity/plan.ts";
import { plan } from "../../scripts/capacity/plan.ts";
import { unitCosts } from "../../scripts/capacity/unit-costs.ts";

const of = (passages: number, queriesPerSecond: number) => plan({ passages, queriesPerSecond }, unitCosts);
const amounts = ({ pods, podCores, kafkaPartitions, elasticsearch, qdrant, postgresGigabytes }: Plan) => [
  ...Object.values(pods),
  ...[podCores, kafkaPartitions, postgresGigabytes],
  ...[elasticsearch.shards, elasticsearch.nodes, qdrant.shards, qdrant.nodes],
];

test("more passages or more queries never need less of anything", () => {
  const sizes = [1e5, 1e6, 3e7, 1e8, 1e9, 1e10];
  const loads = [1, 10, 300, 1e3, 1e4, 1e5];
  for (const [at, passages] of sizes.entries())
    for (const [load, queries] of loads.entries()) {
      const here = amounts(of(passages, queries));
      for (const next of [of(sizes[at + 1] ?? passages, queries), of(passages, loads[load + 1] ?? queries)])
        for (const [index, amount] of amounts(next).entries())
          assert(amount >= (here[index] ?? 0), `${passages}, ${queries}: amount ${index}`);
    }
});

test("a small installation survives the loss of any one of everything, and breaks nothing", () => {
  const small = of(1e6, 10);
  for (const count of Object.values(small.pods)) assert(count >= 2);
  assert(small.elasticsearch.nodes >= 3 && small.elasticsearch.copies >= 2);
  assert(small.qdrant.nodes >= 2 && small.qdrant.copies >= 2);
  for (const { what, share } of small.bounds) assert(share < 1, what);
});

test("load is costs times rate: 1,000 searches of 24 ms, half of each core, a tenth of them for answers", () => {
  const { search, answer } = unitCosts;
  const cores = (search.search * 900 + answer.search * 100) / 1000 / 0.5;
  assert.equal(of(1e6, 1000).pods.search, Math.ceil(cores));
});

test("everything can be embedded anew within the days that are promised, and shards keep to their bound", () => {
  for (const passages of [1e6, 1e8, 1e10]) {
    const { reindexDays, elasticsearch, qdrant } = of(passages, 10);
    assert(reindexDays <= 14);
    assert((passages * unitCosts.elasticsearchBytes) / elasticsearch.shards <= 50e9);
    assert(passages / qdrant.shards <= 50e6);
  }
});
