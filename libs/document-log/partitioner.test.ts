import assert from "node:assert/strict";
import { test } from "node:test";
import { murmur2, partitionOf } from "./partitioner.ts";

/** From the tests of Kafka's own `Utils.murmur2`. */
const vectors: readonly (readonly [string, number])[] = [
  ["21", -973932308],
  ["foobar", -790332482],
  ["a-little-bit-long-string", -985981536],
  ["a-little-bit-longer-string", -1486304829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
  ["abc", 479470107],
];

test("murmur2 gives what Kafka gives", () => {
  for (const [text, hash] of vectors) assert.equal(murmur2(Buffer.from(text)), hash, text);
});

test("a partition is within bounds and keys spread evenly", () => {
  const counts = new Array<number>(8).fill(0);
  for (let i = 0; i < 8_000; i += 1) {
    const partition = partitionOf(`tenant/dokument-ü-${i}`, 8);
    counts[partition] = (counts[partition] ?? Number.NaN) + 1;
  }
  for (const count of counts) assert.ok(count > 850 && count < 1_150, `uneven: ${counts.join(", ")}`);
});
