import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";
import { LoadServiceDefinition } from "@headwater/proto/services/headwater/v1/load";
import { createRpcClient } from "@headwater/rpc";
import { temporaryFolder } from "@headwater/testing";
import type { IngestHarness } from "./testing/ingest-harness.ts";
import { eventually, startHarness } from "./testing/ingest-harness.ts";

const open: IngestHarness[] = [];
afterEach(async () => {
  for (const ingest of open.splice(0)) await ingest.close();
});

async function start(...given: Parameters<typeof startHarness>): Promise<IngestHarness> {
  const ingest = await startHarness(...given);
  open.push(ingest);
  return ingest;
}

const down = () => new HeadwaterError({ code: status.UNAVAILABLE, reason: "HW_TEST_DOWN", message: "down" });

test("without an embedding-worker documents are taken in, it is known that they wait for one, and they are done later", async () => {
  const ingest = await start(await temporaryFolder(), {}, { startWorker: false });
  await ingest.push({ id: "early", text: "x" });
  assert.equal((await ingest.state("early")).state, DocumentState.QUEUED);
  await eventually("ingest is ready", () => ingest.service.notReady === undefined);
  const load = createRpcClient(LoadServiceDefinition, ingest.service.address);
  for await (const { embedding } of load.call.watchLoad({})) if (embedding && embedding.passages > 0) break;
  load.close();
  await ingest.worker.start();
  await ingest.settled();
  assert.equal((await ingest.state("early")).state, DocumentState.INDEXED);
  await eventually("ingest is still ready", () => ingest.service.notReady === undefined);
});

test("an index that is down is waited for; nothing is given up, and readiness says why", async () => {
  const ingest = await start(await temporaryFolder());
  await ingest.push({ id: "first", text: "x" });
  await ingest.settled();
  let isDown = true;
  ingest.indexes.current.onWrite = () => {
    if (isDown) throw down();
  };
  await ingest.push({ id: "second", text: "y" }, { id: "third", text: "z" });
  await eventually("ingest is not ready", () => ingest.service.notReady?.reason === "HW_TEST_DOWN");
  const { partitions, deadLetters } = await ingest.client.call.getPipeline({});
  assert.deepEqual(
    [partitions.reduce((sum, p) => sum + p.endOffset - p.committedOffset, 0), deadLetters],
    [2, 0],
  );
  isDown = false;
  await ingest.settled();
  assert.equal((await ingest.state("third")).state, DocumentState.INDEXED);
});

test("a document that the index refuses fails alone, and its blobs go", async () => {
  const ingest = await start(await temporaryFolder());
  await ingest.push({ id: "warm", text: "x\n" });
  await ingest.settled();
  ingest.indexes.current.onWrite = (documents) => {
    if (documents.some(({ documentId }) => documentId === "odd"))
      throw invalidArgument("HW_TEST_ODD", "Odd.");
  };
  await ingest.push({ id: "even", text: "x\n" }, { id: "odd", text: "y\n" }, { id: "plain", text: "z\n" });
  await ingest.settled();
  assert.deepEqual(
    await Promise.all(["even", "odd", "plain"].map(async (id) => (await ingest.state(id)).state)),
    [DocumentState.INDEXED, DocumentState.FAILED, DocumentState.INDEXED],
  );
  assert.equal((await ingest.state("odd")).failure?.stage, "index");
  for (const root of ["texts/", "originals/"]) {
    const keys = [];
    for await (const key of ingest.stores.blobs.list(root)) keys.push(key);
    assert.equal(keys.length, 3, root);
  }
});

test("whatever the backlog, only so many documents are under way", async () => {
  const ingest = await start(await temporaryFolder(), { HEADWATER_INGEST_MAX_IN_FLIGHT_DOCUMENTS: "5" });
  const gate = Promise.withResolvers<void>();
  ingest.worker.onRequest = () => gate.promise;
  await ingest.push(...Array.from({ length: 50 }, (_, at) => ({ id: `d${at}`, text: `text ${at}` })));
  await eventually("five are under way", async () => {
    const { documents } = await ingest.client.call.getPipeline({});
    return documents.find(({ state }) => state === DocumentState.EMBEDDING)?.documents === 5;
  });
  assert.equal(ingest.processor.processed, 5);
  gate.resolve();
  await ingest.settled();
  assert.equal(ingest.processor.processed, 50);
});

test("the end hands back what is under way, and does so in time", async () => {
  const ingest = await start(await temporaryFolder());
  ingest.worker.onRequest = () => new Promise(() => {});
  await ingest.push({ id: "slow", text: "x" });
  await eventually("it is being embedded", () => ingest.processor.processed === 1);
  const started = performance.now();
  await ingest.service.close(1000);
  assert(performance.now() - started < 5000, "the end took too long");
});

test("another model: documents wait until a reindex, which serves the old index until the new one is whole", async () => {
  const ingest = await start(await temporaryFolder());
  await ingest.push({ id: "a", text: "1\n2" }, { id: "b", text: "3" }, { id: "c", text: "4" });
  await ingest.settled();
  await ingest.client.call.deleteDocument({ id: "c" });
  await ingest.settled();
  const old = ingest.indexes.current;

  await ingest.worker.stop();
  ingest.worker.fingerprint = "model-2";
  await ingest.worker.start();
  await ingest.push({ id: "d", text: "new" });
  await eventually(
    "the mismatch is told",
    () => ingest.service.notReady?.reason === "HW_INDEX_FINGERPRINT_MISMATCH",
  );
  assert.match(ingest.service.notReady?.action ?? "", /headwater reindex/);
  assert.equal((await ingest.state("d")).state < DocumentState.INDEXED, true);

  const progress = [];
  for await (const { done, total, failed } of ingest.client.call.reindex({})) {
    if (done < total) assert.equal(ingest.indexes.current, old, "the old index serves");
    progress.push([done, total, failed]);
  }
  assert.deepEqual(progress.at(-1), [2, 2, 0]);
  await ingest.settled();
  assert.deepEqual(ingest.indexes.current.fingerprint, { model: "model-2", chunking: "lines" });
  assert.deepEqual([...ingest.indexes.all], [old, ingest.indexes.current], "the one before is kept");
  assert.deepEqual(
    ["a", "b", "c", "d"].map((id) => ingest.indexes.current.textsOf("default", id).length),
    [2, 1, 0, 1],
  );
  await eventually("ingest is ready", () => ingest.service.notReady === undefined);

  // The same content again is known to be made with the new model.
  const before = ingest.processor.processed;
  await ingest.push({ id: "a", text: "1\n2" });
  await ingest.settled();
  assert.equal(ingest.processor.processed, before);
});

test("changes during a reindex are in the new index, deletions too", async () => {
  const ingest = await start(await temporaryFolder());
  const ids = Array.from({ length: 30 }, (_, at) => `d${at}`);
  await ingest.push(...ids.map((id) => ({ id, text: "old" })));
  await ingest.settled();
  const gate = Promise.withResolvers<void>();
  const steps: Promise<unknown>[] = [];
  // The reindex begins; before it is through, documents are changed, added and deleted.
  let seen = false;
  for await (const { done } of ingest.client.call.reindex({})) {
    if (seen || done > 0) continue;
    seen = true;
    steps.push(
      ingest
        .push({ id: "d0", text: "new" }, { id: "added", text: "added" })
        .then(() => ingest.client.call.deleteDocument({ id: "d1" }))
        .then(() => gate.resolve()),
    );
    await gate.promise;
    await ingest.settled();
  }
  await Promise.all(steps);
  await ingest.settled();
  const texts = (id: string) =>
    ingest.indexes.current.textsOf("default", id).map((text) => text.split(":")[1]);
  assert.deepEqual(
    [texts("d0"), texts("d1"), texts("d2"), texts("added")],
    [["new"], [], ["old"], ["added"]],
  );
  assert.equal(await ingest.indexes.current.count(), 30);
});

test("a reindex of one tenant goes through the log; a second one at the same time is refused", async () => {
  const ingest = await start(await temporaryFolder());
  await ingest.push({ id: "a", tenant: "one", text: "1" }, { id: "b", tenant: "two", text: "2" });
  await ingest.settled();
  const before = ingest.processor.processed;
  let last: unknown;
  for await (const progress of ingest.client.call.reindex({ tenant: "one" })) last = progress;
  assert.deepEqual(last, { done: 1, total: 1, failed: 0, resumed: false });
  assert.equal(ingest.processor.processed, before + 1);

  const gate = Promise.withResolvers<void>();
  ingest.worker.onRequest = () => gate.promise;
  const first = ingest.client.call.reindex({})[Symbol.asyncIterator]();
  await first.next();
  const second = ingest.client.call.reindex({})[Symbol.asyncIterator]();
  await assert.rejects(second.next(), { reason: "HW_REINDEX_RUNNING" });
  gate.resolve();
  while (!(await first.next()).done);
});

test("a document that can no longer be read fails in the reindex, and becomes a dead letter", async () => {
  const ingest = await start(await temporaryFolder());
  await ingest.push({ id: "good", text: "1" }, { id: "bad", text: "2" });
  await ingest.settled();
  const { blobs } = ingest.stores;
  for await (const key of blobs.list("originals/"))
    if ((await Array.fromAsync((await blobs.get(key)) ?? []))[0]?.[0] === 0x32)
      await blobs.put(key, Buffer.from("poison"));
  let last: { failed: number } | undefined;
  for await (const progress of ingest.client.call.reindex({})) last = progress;
  assert.equal(last?.failed, 1);
  await ingest.settled();
  assert.deepEqual(ingest.indexes.current.textsOf("default", "bad"), []);
  const { deadLetters } = await ingest.client.call.listDeadLetters({});
  assert.deepEqual(
    deadLetters.map(({ documentId }) => documentId),
    ["bad"],
  );
});
