import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, test } from "node:test";
import { openEmbeddedBlobStore } from "@headwater/blob-store";
import { openSqliteDocumentLog } from "@headwater/document-log";
import { DocumentState, ReindexAction, ReindexState } from "@headwater/proto/services/headwater/v1/ingest";
import { openPgliteRecordStore } from "@headwater/record-store/embedded";
import { temporaryFolder } from "@headwater/testing";
import type { Stores } from "../stores.ts";
import { closeStores } from "../stores.ts";
import { FakeEmbeddingWorker } from "../testing/fake-embedding-worker.ts";
import { eventually } from "../testing/ingest-harness.ts";
import type { IngestProcess, IngestProcessOptions } from "../testing/ingest-process.ts";
import { startProcess } from "../testing/ingest-process.ts";
import { MemoryIndexStore } from "../testing/memory-index.ts";

const worker = new FakeEmbeddingWorker();
await worker.start();
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  worker.onRequest = () => {};
  for (const close of closers.splice(0).reverse()) await close();
});
after(() => worker.stop());

/** Stores that outlive the processes on them. */
async function prepare({ partitions = 4 } = {}) {
  const folder = await temporaryFolder();
  const indexes = new MemoryIndexStore();
  const stores: Stores = {
    log: await openSqliteDocumentLog({ folder: join(folder, "log"), partitions }),
    records: await openPgliteRecordStore({ folder: undefined, schema: "ingest" }),
    blobs: await openEmbeddedBlobStore({ folder: join(folder, "blobs") }),
    indexes,
  };
  closers.push(() => closeStores(stores));
  const start = async (options: Partial<IngestProcessOptions> = {}): Promise<IngestProcess> => {
    const ingest = await startProcess({ stores, worker: worker.address, leaseMs: 1000, ...options });
    closers.push(() => ingest.close());
    return ingest;
  };
  const textsOf = (id: string) =>
    indexes.current.textsOf("default", id).map((text) => text.slice(text.indexOf(":") + 1));
  return { stores, indexes, start, textsOf };
}

/** More than one page of the reindex. */
const many = Object.fromEntries(
  Array.from({ length: 450 }, (_, at) => [`d${String(at).padStart(3, "0")}`, `text ${at}`]),
);

async function reindex(ingest: IngestProcess, action: ReindexAction = ReindexAction.UNSPECIFIED) {
  const all = await Array.fromAsync(ingest.client.call.reindex({ action }));
  const last = all.at(-1);
  assert(last);
  return last;
}

/** Begins a reindex, and leaves once it has done some documents. */
async function reindexAndLeave(ingest: IngestProcess): Promise<void> {
  for await (const { done } of ingest.client.call.reindex({})) if (done > 0) break;
  await eventually("it has stopped", async () => !(await ingest.client.call.getReindex({})).running);
}

test("a reindex that was left goes on where it was, with what changed since", async () => {
  const { start, textsOf, indexes } = await prepare();
  const ingest = await start();
  await ingest.push({ ...many, gone: "soon gone" });
  await ingest.settled();
  const old = indexes.current;
  await reindexAndLeave(ingest);
  const left = await ingest.client.call.getReindex({});
  assert.deepEqual([left.state, left.total, left.generations.length], [ReindexState.FILLING, 451, 2]);
  assert(left.done > 0 && left.done < 451, `${left.done} done`);
  assert.equal(indexes.current, old, "the old one serves");

  await ingest.push({ d000: "changed before the cursor", d449: "changed behind it", "a new one": "new" });
  await ingest.client.call.deleteDocument({ id: "gone" });
  await ingest.client.call.deleteDocument({ id: "d001" });
  await ingest.settled();
  assert.equal((await ingest.client.call.getReindex({})).changed, 5);
  assert.deepEqual(textsOf("d000"), ["changed before the cursor"]);

  const before = ingest.processor.processed;
  const last = await reindex(ingest);
  assert.deepEqual([last.resumed, last.failed, last.done], [true, 0, last.total]);
  const made = ingest.processor.processed - before;
  assert(made <= 451 - left.done + 5, `${made} were made, although ${left.done} were done`);
  assert.notEqual(indexes.current, old);
  assert.equal(await indexes.current.count(), 450);
  assert.deepEqual(["d000", "d449", "a new one", "gone", "d001", "d002"].map(textsOf), [
    ["changed before the cursor"],
    ["changed behind it"],
    ["new"],
    [],
    [],
    ["text 2"],
  ]);
});

test("a restart changes nothing about it, but other settings begin anew and drop what was begun", async () => {
  const { start, indexes } = await prepare();
  const first = await start();
  await first.push(many);
  await first.settled();
  await reindexAndLeave(first);
  await first.close();
  const second = await start();
  assert.equal((await second.client.call.getReindex({})).state, ReindexState.FILLING);
  const [begun] = [...indexes.all].filter((index) => index !== indexes.current);
  await second.close();
  const third = await start({ chunking: "other" });
  const last = await reindex(third);
  assert.deepEqual([last.resumed, last.done], [false, 450]);
  assert.deepEqual(indexes.current.fingerprint, { model: "model-1", chunking: "other" });
  assert(begun && !indexes.all.has(begun), "what was begun is gone");
  assert.equal(await indexes.current.count(), 450);
});

test("undo takes the generation before, with what changed since, and can itself be undone", async () => {
  const { start, textsOf, indexes } = await prepare();
  const ingest = await start();
  await ingest.push({ a: "one", b: "two", c: "three" });
  await ingest.settled();
  const old = indexes.current;
  await reindex(ingest);
  const fresh = indexes.current;
  assert.notEqual(fresh, old);
  await ingest.push({ b: "changed", d: "four" });
  await ingest.client.call.deleteDocument({ id: "c" });
  await ingest.settled();
  assert.equal(await old.count(), 3, "the old one is left as it was");
  const status = await ingest.client.call.getReindex({});
  assert.deepEqual([status.state, status.changed], [ReindexState.SWITCHED, 3]);

  await reindex(ingest, ReindexAction.UNDO);
  assert.equal(indexes.current, old);
  assert.deepEqual(["a", "b", "c", "d"].map(textsOf), [["one"], ["changed"], [], ["four"]]);
  await ingest.push({ e: "after the undo" });
  await ingest.settled();
  assert.deepEqual(textsOf("e"), ["after the undo"]);
  await reindex(ingest, ReindexAction.UNDO);
  assert.equal(indexes.current, fresh);
  assert.deepEqual(["a", "b", "c", "d", "e"].map(textsOf), [
    ["one"],
    ["changed"],
    [],
    ["four"],
    ["after the undo"],
  ]);
});

test("undo wants the settings that the generation was made with, and says so", async () => {
  const { start, textsOf, indexes } = await prepare();
  const before = await start({ chunking: "old" });
  await assert.rejects(reindex(before, ReindexAction.UNDO), { reason: "HW_REINDEX_NOTHING_TO_UNDO" });
  await before.push({ a: "one" });
  await before.settled();
  await before.close();
  const now = await start({ chunking: "new" });
  await reindex(now);
  await now.push({ b: "two" });
  await now.settled();
  await assert.rejects(reindex(now, ReindexAction.UNDO), {
    reason: "HW_REINDEX_UNDO_SETTINGS",
    message: /the chunking \(old then, new now\)/,
  });
  assert.equal(indexes.current.fingerprint.chunking, "new");
  await now.close();
  const again = await start({ chunking: "old" });
  await eventually(
    "the mismatch is told",
    () => again.service.notReady?.reason === "HW_INDEX_FINGERPRINT_MISMATCH",
  );
  await reindex(again, ReindexAction.UNDO);
  assert.equal(indexes.current.fingerprint.chunking, "old");
  assert.deepEqual([textsOf("a"), textsOf("b")], [["one"], ["two"]]);
  await eventually("ingest is ready", () => again.service.notReady === undefined);
});

test("finish drops the generation that does not serve, served before or unfinished", async () => {
  const { start, indexes } = await prepare();
  const ingest = await start();
  await ingest.push(many);
  await ingest.settled();
  await reindex(ingest);
  assert.equal(indexes.all.size, 2);
  await reindex(ingest, ReindexAction.FINISH);
  assert.deepEqual([...indexes.all], [indexes.current]);
  await assert.rejects(reindex(ingest, ReindexAction.UNDO), { reason: "HW_REINDEX_NOTHING_TO_UNDO" });
  await reindexAndLeave(ingest);
  assert.equal(indexes.all.size, 2);
  await reindex(ingest, ReindexAction.FINISH);
  assert.deepEqual([...indexes.all], [indexes.current]);
  const status = await ingest.client.call.getReindex({});
  assert.deepEqual([status.state, status.changed], [ReindexState.UNSPECIFIED, 0]);
  assert.equal(await indexes.current.count(), 450);
});

test("one reindex at a time over all processes; a dead one's place is taken", async () => {
  const { start, stores } = await prepare();
  const [one, other] = [await start(), await start()];
  await one.push(many);
  await one.settled();
  const gate = Promise.withResolvers<void>();
  worker.onRequest = () => gate.promise;
  const first = one.client.call.reindex({})[Symbol.asyncIterator]();
  await first.next();
  assert.equal((await other.client.call.getReindex({})).running, true);
  await assert.rejects(reindex(other), { reason: "HW_REINDEX_RUNNING" });
  gate.resolve();
  while (!(await first.next()).done);
  // A process that died in the middle of one has left a lease behind.
  await stores.records.query(
    "UPDATE reindex SET owner = 'the dead', leased_until = floor(extract(epoch FROM clock_timestamp()) * 1000) + 700",
  );
  const last = await reindex(other);
  assert.equal(last.done, 450);
});

test("what another process wrote into the old generation too late counts for nothing, and is done again", async () => {
  const { start, textsOf, indexes } = await prepare({ partitions: 1 });
  const other = await start();
  const one = await start();
  await one.push({ first: "first" });
  await one.settled();
  const old = indexes.current;
  const [writing, mayWrite] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  old.onWrite = async () => {
    writing.resolve();
    await mayWrite.promise;
  };
  await one.push({ late: "late" });
  await writing.promise;
  // Whichever of them the document is not with.
  const idle = other.processor.processed > one.processor.processed ? one : other;
  await reindex(idle);
  assert.notEqual(indexes.current, old);
  assert.deepEqual(textsOf("late"), []);
  mayWrite.resolve();
  await idle.settled();
  assert.deepEqual(textsOf("late"), ["late"]);
  assert.equal(await idle.state("late"), DocumentState.INDEXED);
});

test("while one process reindexes and another takes in changes, each document ends in its last version", async () => {
  const { start, textsOf, indexes } = await prepare();
  const [one, other] = [await start(), await start()];
  const versions = new Map(Object.keys(many).map((id) => [id, 1]));
  await one.push(many, 1);
  await one.settled();
  let reindexing = true;
  const change = async (): Promise<void> => {
    for (let version = 2; reindexing; version += 1) {
      const ids = [...versions.keys()].filter((_, at) => at % 5 === version % 5);
      await other.push(Object.fromEntries(ids.map((id) => [id, `version ${version}`])), version);
      for (const id of ids) versions.set(id, version);
    }
  };
  const changing = change();
  for (let round = 0; round < 3; round += 1) await reindex(one);
  await reindex(one, ReindexAction.UNDO);
  reindexing = false;
  await changing;
  await other.settled();
  assert.equal(await indexes.current.count(), 450);
  for (const [id, version] of versions) {
    assert.equal(await other.state(id), DocumentState.INDEXED);
    assert.deepEqual(textsOf(id), [version === 1 ? many[id] : `version ${version}`], id);
  }
});
