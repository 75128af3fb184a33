import assert from "node:assert/strict";
import { after, test } from "node:test";
import { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";
import { openPgliteRecordStore } from "@headwater/record-store/embedded";
import { Catalog } from "./catalog.ts";
import type { DocumentStatus, ServedDocument } from "./document-record.ts";

const records = await openPgliteRecordStore({ folder: undefined, schema: "ingest" });
const catalog = await Catalog.open(records, (thrown) => assert.ifError(thrown));
after(async () => {
  await catalog.close();
  await records.close();
});

const { QUEUED, PARSING, INDEXED, DELETED } = DocumentState;

function status(documentId: string, version: number, state: DocumentState, tenant = "t"): DocumentStatus {
  return {
    ...{
      tenant,
      documentId,
      version,
      state,
      failure: null,
      title: "",
      uri: "",
      mediaType: "",
      attributes: {},
    },
    ...{ observedAt: 1, sizeBytes: 1, contentSha256: "", passages: 0, textLength: 0, updatedAt: Date.now() },
  };
}

function served(version: number): ServedDocument {
  return {
    ...{ version, contentSha256: "", descriptionHash: "", fingerprint: "", originalKey: "", textKey: "" },
    ...{ title: "", uri: "", mediaType: "", attributes: {}, observedAt: 1 },
    ...{ sizeBytes: 1, passages: 1, textLength: 1 },
  };
}

async function shown(documentId: string): Promise<unknown[]> {
  const [record] = await catalog.read([{ tenant: "t", documentId }]);
  return [record?.status.version, record?.status.state, record?.settledVersion];
}

test("what is shown is the newest version, whatever is settled behind it", async () => {
  await catalog.noteQueued([status("a", 1, QUEUED), status("a", 2, QUEUED)]);
  assert.deepEqual(await shown("a"), [2, QUEUED, 0]);
  await catalog.settle({ status: status("a", 1, INDEXED), served: null, unusedBlobs: [] });
  assert.deepEqual(await shown("a"), [2, QUEUED, 1]);
  // Also once the queued one is in the database.
  await catalog.list({ tenant: "t", limit: 1 });
  assert.deepEqual(await shown("a"), [2, QUEUED, 1]);
  catalog.noteProgress(status("a", 2, PARSING));
  assert.deepEqual(await shown("a"), [2, PARSING, 1]);
  await catalog.settle({ status: status("a", 2, INDEXED), served: null, unusedBlobs: [] });
  assert.deepEqual(await shown("a"), [2, INDEXED, 2]);
});

test("a queued version is never moved over a settled one", async () => {
  await catalog.settle({ status: status("b", 5, INDEXED), served: null, unusedBlobs: [] });
  await catalog.noteQueued([status("b", 5, QUEUED), status("b", 4, QUEUED)]);
  await catalog.list({ tenant: "t", limit: 1 });
  assert.deepEqual(await shown("b"), [5, INDEXED, 5]);
});

test("what is served is never put back by a consumer that settles an older version late", async () => {
  for (const version of [7, 6])
    await catalog.settle({
      status: status("late", version, INDEXED),
      served: served(version),
      unusedBlobs: [],
    });
  const [record] = await catalog.read([{ tenant: "t", documentId: "late" }]);
  assert.deepEqual([record?.served?.version, record?.settledVersion], [7, 7]);
});

test("a version that changes nothing in the indexes leaves what is served, beside one that does", async () => {
  await catalog.settle({ status: status("same", 1, INDEXED), served: served(1), unusedBlobs: [] });
  await Promise.all([
    catalog.settle({ status: status("same", 2, INDEXED), unusedBlobs: [] }),
    catalog.settle({ status: status("other", 2, INDEXED), served: served(2), unusedBlobs: [] }),
  ]);
  const read = await catalog.read(["same", "other"].map((documentId) => ({ tenant: "t", documentId })));
  assert.deepEqual(
    read.map((record) => [record?.status.version, record?.settledVersion, record?.served]),
    [
      [2, 2, served(1)],
      [2, 2, served(2)],
    ],
  );
  await catalog.settle({ status: status("same", 3, DELETED), served: null, unusedBlobs: [] });
  assert.equal((await catalog.read([{ tenant: "t", documentId: "same" }]))[0]?.served, null);
});

test("a document is settled whatever its id, as its partition waits for it", async () => {
  for (const id of ["\ufeff", "\ufeffmarked", "a\u200b", "e\u0301", "\u2028", '{"a":[1,NULL]}', "\\x00"])
    assert.equal(
      await catalog.settle({ status: status(id, 1, INDEXED), served: null, unusedBlobs: [] }),
      true,
    );
});

test("a thousand documents settle in a few statements", async () => {
  const started = performance.now();
  const all = Array.from({ length: 1000 }, (_, at) => status(`many ${at}`, 1, INDEXED, "many"));
  await Promise.all(all.map((one) => catalog.settle({ status: one, served: null, unusedBlobs: [] })));
  const list = await catalog.list({ tenant: "many", limit: 2000 });
  assert.equal(list.length, 1000);
  assert.deepEqual([...(await catalog.countByState("many"))], [[INDEXED, 1000]]);
  assert(performance.now() - started < 5000);
});

test("counts have each document once, in the state that it is shown in, written or not", async () => {
  const note = (id: string, version: number, state: DocumentState) => status(id, version, state, "counted");
  for (const id of ["settled", "again"])
    await catalog.settle({ status: note(id, 1, INDEXED), served: null, unusedBlobs: [] });
  await catalog.noteQueued([note("again", 2, QUEUED), note("new", 1, QUEUED)]);
  catalog.noteProgress(note("under way", 1, DocumentState.EMBEDDING));
  assert.deepEqual(
    await catalog.countByState("counted"),
    new Map([
      [INDEXED, 1],
      [DocumentState.EMBEDDING, 1],
      [QUEUED, 2],
    ]),
  );
});

test("blobs that are let go of are remembered until they are deleted", async () => {
  await catalog.settle({ status: status("c", 1, DELETED), served: null, unusedBlobs: ["x", "y"] });
  assert.deepEqual((await catalog.unusedBlobs(10)).sort(), ["x", "y"]);
  await catalog.forgetUnusedBlobs(["x"]);
  assert.deepEqual(await catalog.unusedBlobs(10), ["y"]);
});

test("a watcher who does not read costs no more memory than its bound, and is told what it missed", async () => {
  const subscription = catalog.feed.subscribe("slow", undefined);
  const before = Date.now();
  for (let at = 0; at < 10_500; at += 1) catalog.feed.publish(status(`d${at}`, 1, QUEUED, "slow"));
  catalog.feed.publish(status("d0", 1, INDEXED, "slow"));
  const { statuses, droppedSince } = await subscription.next(new AbortController().signal);
  assert.equal(statuses.length, 10_000);
  assert.equal(statuses.find(({ documentId }) => documentId === "d0")?.state, INDEXED, "the newest is kept");
  assert(droppedSince !== undefined && droppedSince >= before);
  subscription.close();
});
