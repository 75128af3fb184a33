import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { passageId } from "@headwater/passage-index";
import { DocumentState, discrepancyToJSON } from "@headwater/proto/services/headwater/v1/ingest";
import { temporaryFolder } from "@headwater/testing";
import { originalKey, originalsOf, textKey } from "../documents/blob-keys.ts";
import { fakeDimensions } from "../testing/fake-embedding-worker.ts";
import type { IngestHarness } from "../testing/ingest-harness.ts";
import { eventually, startHarness } from "../testing/ingest-harness.ts";
import { sweepEvent } from "./sweep-event.ts";

const open: IngestHarness[] = [];
afterEach(async () => {
  for (const ingest of open.splice(0)) await ingest.close();
});

async function start(): Promise<IngestHarness> {
  const ingest = await startHarness(await temporaryFolder());
  open.push(ingest);
  return ingest;
}

const key = (documentId: string) => ({ tenant: "default", documentId });

/** What a reconciliation found, by kind: how many, how many were mended, and which. */
async function reconcile(ingest: IngestHarness, repair: boolean, tenant = "") {
  const all = await Array.fromAsync(ingest.client.call.reconcile({ repair, tenant }));
  const last = all.at(-1);
  assert(last);
  assert.equal(last.done, last.total);
  return Object.fromEntries(
    last.findings.map(({ discrepancy, found, mended, examples }) => [
      discrepancyToJSON(discrepancy).replace("DISCREPANCY_", ""),
      [found, mended, examples.map(({ id }) => id).join()],
    ]),
  );
}

/** Passages of a document that went another way than through the pipeline. */
function stray(documentId: string, version: number) {
  const [passage] = [{ ...key(documentId), version, ordinal: 0, text: "stray", title: "", uri: "" }];
  return {
    ...{ ...key(documentId), version },
    passages: [
      {
        ...passage,
        id: passageId("default", documentId, version, 0),
        ...{ mediaType: "text/plain", attributes: {}, observedAt: 1, start: 0, end: 5, page: 0 },
        headingPath: [],
        vector: new Float32Array(fakeDimensions),
      },
    ],
  };
}

test("stores that agree are said to agree", async () => {
  const ingest = await start();
  assert.deepEqual(await reconcile(ingest, false), {});
  await ingest.push({ id: "a", text: "1\n2" }, { id: "b", text: "3\n" }, { id: "failed", text: "poison" });
  await ingest.push({ id: "a", text: "another" });
  await ingest.client.call.deleteDocument({ id: "b" });
  await ingest.settled();
  assert.deepEqual(await reconcile(ingest, true), {});
});

test("each kind of damage is found, told without being touched, and mended", async () => {
  const ingest = await start();
  const { indexes, stores, client } = ingest;
  const ids = ["whole", "missing", "incomplete", "other", "without original", "without text", "left"];
  await ingest.push(...ids.map((id) => ({ id, version: 5, text: `first of ${id}\nsecond\n` })));
  await ingest.settled();
  const index = indexes.current;

  await index.replace([stray("orphan", 1)]);
  await index.remove([key("missing")]);
  index.lostVectors.set("incomplete", 1);
  await index.replace([stray("other", 9)]);
  for await (const blob of stores.blobs.list(originalsOf(key("without original"))))
    await stores.blobs.delete(blob);
  await stores.blobs.delete(textKey(key("without text"), 5));
  const leftovers = [originalKey(key("left"), 3, "ab".repeat(32)), textKey(key("left"), 4)];
  for (const blob of leftovers) await stores.blobs.put(blob, Buffer.from("left behind"));

  const found = {
    ORPHANED_PASSAGES: [1, 0, "orphan"],
    MISSING_PASSAGES: [1, 0, "missing"],
    INCOMPLETE_PASSAGES: [1, 0, "incomplete"],
    OTHER_VERSION: [1, 0, "other"],
    MISSING_ORIGINAL: [1, 0, "without original"],
    MISSING_TEXT: [1, 0, "without text"],
    UNUSED_BLOB: [2, 0, "left"],
  };
  assert.deepEqual(await reconcile(ingest, false), found);
  assert.deepEqual(await reconcile(ingest, false), found, "looking has changed nothing");

  const mended = Object.fromEntries(
    Object.entries(found).map(([kind, [count, , names]]) => [
      kind,
      [count, kind === "MISSING_ORIGINAL" ? 0 : count, names],
    ]),
  );
  assert.deepEqual(await reconcile(ingest, true), mended);
  await eventually(
    "leftovers are swept",
    async () => {
      const sizes = await Promise.all(leftovers.map((blob) => stores.blobs.size(blob)));
      return sizes.every((size) => size === undefined);
    },
    60_000,
  );
  assert.deepEqual(await reconcile(ingest, false), { MISSING_ORIGINAL: [1, 0, "without original"] });
  assert.deepEqual(index.textsOf("default", "orphan"), []);
  for (const id of ids) {
    assert.deepEqual(index.textsOf("default", id), [`5:first of ${id}`, "5:second"]);
    assert.equal((await ingest.state(id)).state, DocumentState.INDEXED);
  }
  assert.equal((await client.call.getText({ id: "without text" })).text, "first of without text\nsecond");
  const { deadLetters } = await client.call.listDeadLetters({});
  assert.deepEqual(deadLetters, []);
});

test("a tenant's reconciliation sees and mends nothing of another's", async () => {
  const ingest = await start();
  await ingest.push({ id: "a", tenant: "one", text: "1" }, { id: "b", tenant: "two", text: "2" });
  await ingest.settled();
  const index = ingest.indexes.current;
  await index.remove([
    { tenant: "one", documentId: "a" },
    { tenant: "two", documentId: "b" },
  ]);
  assert.deepEqual(await reconcile(ingest, true, "one"), { MISSING_PASSAGES: [1, 1, "a"] });
  assert.deepEqual([index.textsOf("one", "a").length, index.textsOf("two", "b").length], [1, 0]);
  assert.deepEqual(await reconcile(ingest, false), { MISSING_PASSAGES: [1, 0, "b"] });
});

test("a document that cannot be made again is a dead letter, and not found again", async () => {
  const ingest = await start();
  await ingest.push({ id: "a", text: "1" });
  await ingest.settled();
  await ingest.indexes.current.remove([key("a")]);
  const [original = ""] = await Array.fromAsync(ingest.stores.blobs.list(originalsOf(key("a"))));
  await ingest.stores.blobs.put(original, Buffer.from("poison"));
  assert.deepEqual(await reconcile(ingest, false), { MISSING_PASSAGES: [1, 0, "a"] });
  await reconcile(ingest, true);
  const { deadLetters } = await ingest.client.call.listDeadLetters({});
  assert.deepEqual(
    deadLetters.map(({ documentId }) => documentId),
    ["a"],
  );
  assert.deepEqual(await reconcile(ingest, false), {});
});

test("what is just being indexed differs for a moment, and is no damage", async () => {
  const ingest = await start();
  await ingest.push({ id: "a", version: 1, text: "one" }, { id: "b", version: 1, text: "two" });
  await ingest.settled();
  const [written, mayGoOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  ingest.indexes.current.onWritten = async () => {
    written.resolve();
    await mayGoOn.promise;
  };
  await ingest.push({ id: "a", version: 2, text: "changed" }, { id: "new", version: 1, text: "new" });
  await written.promise;
  assert.deepEqual(await reconcile(ingest, true), {});
  mayGoOn.resolve();
  await ingest.settled();
  assert.deepEqual(ingest.indexes.current.textsOf("default", "a"), ["2:changed"]);
  assert.deepEqual(ingest.indexes.current.textsOf("default", "new"), ["1:new"]);
  assert.equal((await ingest.state("new")).state, DocumentState.INDEXED);
});

test("passages of a document that is indexed behind its sweep stay", async () => {
  const ingest = await start();
  await ingest.push({ id: "warm", text: "x" });
  await ingest.settled();
  // Found as an orphan, such as by a process that has not heard of it, and pushed before it is swept.
  await ingest.push({ id: "a", text: "1" });
  await ingest.stores.log.append([sweepEvent(key("a")), sweepEvent(key("warm"))]);
  await ingest.settled();
  assert.deepEqual(
    ["a", "warm"].map((id) => ingest.indexes.current.textsOf("default", id).length),
    [1, 1],
  );
});

test("repair wants a pipeline that runs; looking does not", async () => {
  const ingest = await start();
  await ingest.push({ id: "a", text: "1" });
  await ingest.settled();
  await ingest.worker.stop();
  ingest.worker.fingerprint = "another";
  await ingest.worker.start();
  await ingest.push({ id: "b", text: "2" });
  await eventually(
    "the mismatch is told",
    () => ingest.service.notReady?.reason === "HW_INDEX_FINGERPRINT_MISMATCH",
  );
  await assert.rejects(reconcile(ingest, true), { reason: "HW_INDEX_FINGERPRINT_MISMATCH" });
  assert.deepEqual(await reconcile(ingest, false), {});
});
