import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";
import { createExtractiveModel } from "@headwater/language-model";
import { MemoryServiceDefinition } from "@headwater/proto/services/headwater/v1/memory";
import { createRpcClient, encodePageToken, startRpcServer } from "@headwater/rpc";
import { silentTelemetry } from "@headwater/telemetry";
import { openMemoryRecords } from "../testing/memory-records.ts";
import { createMemoryWorld, startOfTime } from "./evaluation/world.ts";
import { MemoryHandlers } from "./memory-handlers.ts";
import { MemoryStore } from "./memory-store.ts";

const records = await openMemoryRecords();
// Nothing listens there: what needs no vectors works without the embedding-worker.
const world = createMemoryWorld(records, "127.0.0.1:1");
const store = new MemoryStore(records, world.config);
const server = await startRpcServer({
  address: "127.0.0.1:0",
  definition: MemoryServiceDefinition,
  implementation: new MemoryHandlers(
    world.memories,
    createExtractiveModel({ rankSentences: async () => undefined }),
  ),
  telemetry: silentTelemetry("generation"),
  checkReadiness: async () => {},
});
const client = createRpcClient(MemoryServiceDefinition, server.address);
after(async () => {
  client.close();
  world.close();
  await server.close(200);
});

const whose = { tenant: "acme", owner: "ana@example.org" };

async function keep(text: string, minute: number): Promise<string> {
  const at = new Date(startOfTime + minute * 60_000);
  const id = randomUUID();
  const record = {
    id,
    text,
    vector: Float32Array.of(1),
    fingerprint: "model",
    surprise: 0.5,
    strength: 0.75,
  };
  const times = { strengthenedAt: at, createdAt: at, updatedAt: at };
  const told = { ...record, ...times, recallCount: 0, conversationId: "", lastSurprise: 0.5 };
  await store.write(whose, told, await store.read(whose));
  return id;
}

test("memories are listed newest first in pages, corrected and forgotten by their owner alone", async () => {
  const ids: string[] = [];
  for (const [minute, text] of ["first", "second", "third"].entries()) ids.push(await keep(text, minute));
  const first = await client.call.listMemories({ ...whose, pageSize: 2 });
  const second = await client.call.listMemories({ ...whose, pageSize: 2, pageToken: first.nextPageToken });
  assert.deepEqual(
    [...first.memories, ...second.memories].map(({ text, strength }) => [text, strength]),
    [
      ["third", 0.75],
      ["second", 0.75],
      ["first", 0.75],
    ],
  );
  assert.equal(second.nextPageToken, "");
  const strangers = { tenant: "acme", owner: "bo" };
  assert.deepEqual((await client.call.listMemories(strangers)).memories, []);
  await client.call.forgetMemory({ ...strangers, id: ids[0] ?? "" });
  await client.call.forgetMemory({ ...whose, id: ids[1] ?? "" });
  await client.call.forgetMemory({ ...whose, id: ids[1] ?? "" });
  assert.deepEqual(await client.call.forgetAllMemories(strangers), { forgotten: 0 });
  assert.deepEqual(await client.call.forgetAllMemories(whose), { forgotten: 2 });
  assert.deepEqual((await client.call.listMemories(whose)).memories, []);
});

test("bad requests are refused with a reason, and an absent embedding-worker is told", async () => {
  const id = randomUUID();
  const { call } = client;
  const pageToken = encodePageToken(`memories/${whose.tenant}/${whose.owner}`, "yesterday 1");
  const refused: readonly (readonly [Promise<unknown>, number, string])[] = [
    [call.listMemories({ tenant: "a/b" }), 3, "HW_TENANT_INVALID"],
    [call.listMemories({ owner: "a b" }), 3, "HW_OWNER_INVALID"],
    [call.listMemories({ pageSize: 201 }), 3, "HW_PAGE_SIZE_INVALID"],
    [call.listMemories({ ...whose, pageToken: "x" }), 3, "HW_PAGE_TOKEN_INVALID"],
    [call.listMemories({ ...whose, pageToken }), 3, "HW_PAGE_TOKEN_INVALID"],
    [call.searchMemories({ query: " " }), 3, "HW_TEXT_INVALID"],
    [call.searchMemories({ query: "x", limit: 51 }), 3, "HW_LIMIT_INVALID"],
    [call.remember({ statement: "" }), 3, "HW_TEXT_INVALID"],
    [call.remember({ statement: "x".repeat(2049) }), 3, "HW_TEXT_INVALID"],
    [call.correctMemory({ id: "1", text: "x" }), 3, "HW_ID_INVALID"],
    [call.correctMemory({ id, text: "My password is hunter2." }), 3, "HW_MEMORY_SECRET"],
    [call.forgetMemory({ id: "1" }), 3, "HW_ID_INVALID"],
  ];
  for (const [work, code, reason] of refused) await assert.rejects(work, { code, reason });
  await assert.rejects(call.remember({ statement: "I ski." }), { code: 14 });
});
