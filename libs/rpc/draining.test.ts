import assert from "node:assert/strict";
import { test } from "node:test";
import { untilDraining } from "./index.ts";

test("what was sent is read until the server drains, also while nothing comes", async () => {
  const draining = new AbortController();
  async function* messages() {
    yield 1;
    yield 2;
    await new Promise(() => {});
  }
  const read: number[] = [];
  await assert.rejects(
    async () => {
      for await (const message of untilDraining(messages(), draining.signal)) {
        read.push(message);
        if (message === 2) setImmediate(() => draining.abort());
      }
    },
    { name: "HeadwaterError", reason: "HW_SERVER_DRAINING" },
  );
  assert.deepEqual(read, [1, 2]);
});

test("a stream that its caller ended is read to its end", async () => {
  async function* messages() {
    yield* [1, 2, 3];
  }
  assert.deepEqual(await Array.fromAsync(untilDraining(messages(), new AbortController().signal)), [1, 2, 3]);
});
