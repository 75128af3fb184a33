import assert from "node:assert/strict";
import { test } from "node:test";
import { refine } from "./feedback.ts";
import { fuse } from "./fusion.ts";
import { list } from "./testing/passages.ts";

const fusion = { method: "min-max", lexicalWeight: 0.5, rrfK: 60 } as const;
const query = Float32Array.of(1, 0);

test("passages like the first fused hits rise", () => {
  // "near" is nearest to the query; "agreed" is what the words agree upon, and "friend" resembles it.
  const vector = list(
    ["near", 0.95, [0.95, -0.312]],
    ["agreed", 0.9, [0.9, 0.436]],
    ["friend", 0.9, [0.9, 0.436]],
  );
  const lexical = list(["agreed", 10], ["friend", 9]);
  const fused = fuse({ lexical, vector, limit: 100 }, fusion);
  const refined = refine(query, vector, fused, 0.75);
  assert.deepEqual(
    refined?.map(({ passage }) => passage.id),
    ["agreed", "friend", "near"],
  );
  for (const { score } of refined ?? []) assert(score > 0.5 && score <= 1, String(score));
});

test("by hand: q + weight * mean, scaled to length 1", () => {
  const vector = list(["a", 0.6, [0.6, 0.8]]);
  const refined = refine(query, vector, fuse({ lexical: [], vector, limit: 100 }, fusion), 0.75);
  // q' = (1 + 0.45, 0.6); cosine with a = (1.45 * 0.6 + 0.6 * 0.8) / |(1.45, 0.6)| = 1.35 / 1.569235
  assert(Math.abs((refined?.[0]?.score ?? 0) - 0.860292) < 1e-6, String(refined?.[0]?.score));
});

test("without weight, hits or vectors there is no feedback", () => {
  const vector = list(["a", 0.6, [0.6, 0.8]]);
  const fused = fuse({ lexical: [], vector, limit: 100 }, fusion);
  assert.equal(refine(query, vector, fused, 0), undefined);
  assert.equal(refine(query, [], [], 0.75), undefined);
  assert.equal(refine(query, list(["a", 0.6]), fused, 0.75), undefined);
});
