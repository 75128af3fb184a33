import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import { runHeadwater } from "../support/run-headwater.ts";
import type { Stack } from "../support/test-stack.ts";
import { startTestStack } from "../support/test-stack.ts";

const folder = await temporaryFolder();
let worker: Stack;

before(async () => {
  worker = await startTestStack(folder, { services: ["embedding-worker"] });
});
after(() => worker.close(1000));

function prepare(words: readonly string[], changes: Record<string, string> = {}) {
  return runHeadwater(["prepare", "--json", ...words], {
    environment: {
      HEADWATER_DATA_DIR: folder,
      HEADWATER_EMBEDDING_ADDRESS: worker.address("embedding-worker"),
      ...changes,
    },
  });
}

test("prepare makes the embedded stores too, tells of indexes made with other settings, and changes none", async () => {
  const seen: unknown[] = [];
  for (const changes of [{}, {}, { HEADWATER_CHUNK_TOKENS: "200" }]) {
    const { code, stdout, stderr } = await prepare(["ingest"], changes);
    assert.equal(code, 0, stderr);
    seen.push((JSON.parse(stdout) as { indexes: unknown }).indexes);
  }
  const [first, again, other] = seen as { generation: string; current: boolean }[];
  assert.deepEqual(again, first);
  assert.deepEqual(other, { generation: first?.generation, current: false });
});

test("what is no service is refused, and what has no embedding-worker says so", async () => {
  const wrong = await prepare(["gateway"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /Allowed choices are ingest, generation/);
  const alone = await prepare(["ingest"], { HEADWATER_EMBEDDING_ADDRESS: "127.0.0.1:9" });
  assert.equal(alone.code, 3);
  assert.match(alone.stderr, /HW_EMBEDDING_UNAVAILABLE/);
  assert.match(alone.stderr, /leave the indexes to the first start of ingest/);
});
