import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { after, test } from "node:test";
import { openEmbeddedBlobStore } from "@headwater/blob-store";
import { openSqliteDocumentLog, recordKey } from "@headwater/document-log";
import { DocumentEvent } from "@headwater/proto/services/headwater/v1/event";
import { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";
import { openPgliteRecordStore } from "@headwater/record-store/embedded";
import { temporaryFolder } from "@headwater/testing";
import { Catalog } from "../catalog/catalog.ts";
import { readIngestConfig } from "../config.ts";
import { uploadKey } from "../documents/blob-keys.ts";
import type { Stores } from "../stores.ts";
import { FakeEmbeddingWorker } from "../testing/fake-embedding-worker.ts";
import { eventually } from "../testing/ingest-harness.ts";
import { MemoryIndexStore } from "../testing/memory-index.ts";
import { startMortal } from "../testing/mortal-ingest.ts";
import { Mortality } from "../testing/mortality.ts";

const folder = await temporaryFolder();
const records = await openPgliteRecordStore({ folder: undefined, schema: "ingest" });
const blobs = await openEmbeddedBlobStore({ folder: join(folder, "blobs") });
const worker = new FakeEmbeddingWorker();
await worker.start();
const config = readIngestConfig({
  HEADWATER_EMBEDDING_ADDRESS: worker.address,
  HEADWATER_INGEST_INDEX_LINGER_MS: "5",
});
after(async () => {
  await worker.stop();
  await blobs.close();
  await records.close();
});

/** Sees what is so, whoever is dead. */
const observer = await Catalog.open(records, () => {});
/** Lives that go on at the same time, for they mostly wait. */
const atOnce = 6;

/** What has to be left at the end, wherever a crash fell. */
const expected = {
  passages: { a: ["2:4"], b: [], c: [], d: ["2:small"], e: ["2:again"] },
  states: {
    a: [DocumentState.INDEXED, 3],
    b: [DocumentState.DELETED, 1],
    c: [DocumentState.FAILED, 1],
    d: [DocumentState.INDEXED, 2],
    e: [DocumentState.INDEXED, 2],
  },
  deadLetters: ["c parse"],
  // Originals of a, d and e, and a text of a: those of d and e are their originals, byte for byte.
  blobs: 4,
};

async function fillLog({ log }: Stores, tenant: string): Promise<void> {
  const put = (id: string, version: number, content: DocumentEvent["content"]) => ({
    key: recordKey(tenant, id),
    value: DocumentEvent.encode(
      DocumentEvent.fromPartial({ tenant, id, version, ...(content ? { content } : {}) }),
    ).finish(),
    headers: {},
  });
  const inline = (text: string) => ({ $case: "inline" as const, value: Buffer.from(text) });
  const upload = uploadKey({ tenant, documentId: "d" }, Date.now(), randomUUID());
  await blobs.put(upload, Buffer.from("a large one"));
  await log.append([
    put("a", 1, inline("1\n2\n3\n")),
    put("b", 1, inline("b")),
    put("c", 1, inline("poison")),
    put("a", 2, inline("4\n")),
    put("d", 1, { $case: "blob", value: upload }),
    { key: recordKey(tenant, "b"), value: null, headers: {} },
    put("a", 2, inline("4\n")),
    put("a", 3, inline("4\n")),
    put("e", 1, inline("first")),
    { key: recordKey(tenant, "e"), value: null, headers: {} },
    put("e", 2, inline("again")),
    put("d", 2, inline("small")),
  ]);
}

/** Runs ingest on the stores until its log is done or it is dead. */
async function live(stores: Stores, mortality: Mortality): Promise<void> {
  const ingest = await startMortal(stores, mortality, config);
  const isDone = async () => {
    const lag = await stores.log.lag(config.pipeline.group);
    if (lag.some(({ endOffset, committedOffset }) => endOffset > committedOffset)) return false;
    return (await observer.unusedBlobs(1)).length === 0;
  };
  await eventually("done or dead", async () => mortality.dead || (await isDone()));
  await ingest.end();
}

async function endState(stores: Stores, indexes: MemoryIndexStore, tenant: string) {
  const ids = ["a", "b", "c", "d", "e"];
  const rows = await observer.read(ids.map((documentId) => ({ tenant, documentId })));
  const { deadLetters } = await stores.log.listDeadLetters({ tenant, limit: 100 });
  let kept = 0;
  for (const root of ["originals", "texts", "uploads"])
    for await (const _ of blobs.list(`${root}/${tenant}/`)) kept += 1;
  return {
    passages: Object.fromEntries(ids.map((id) => [id, indexes.current.textsOf(tenant, id)])),
    states: Object.fromEntries(ids.map((id, at) => [id, [rows[at]?.status.state, rows[at]?.status.version]])),
    deadLetters: deadLetters.map(({ record, stage }) => `${record.key.split("/")[1]} ${stage}`),
    blobs: kept,
  };
}

/** @returns false where the first life was over before death came */
async function dieAt(deathAt: number): Promise<boolean> {
  const tenant = `t${deathAt}`;
  const log = await openSqliteDocumentLog({ folder: join(folder, tenant), partitions: 2 });
  const indexes = new MemoryIndexStore();
  const stores = { log, records, blobs, indexes };
  try {
    await fillLog(stores, tenant);
    const mortality = new Mortality(deathAt);
    await live(stores, mortality);
    await live(stores, new Mortality(Number.POSITIVE_INFINITY));
    assert.deepEqual(await endState(stores, indexes, tenant), expected);
    return mortality.dead;
  } finally {
    await log.close();
  }
}

test("death right after any side effect leaves nothing undone and nothing twice", async () => {
  let deathAt = 1;
  let died: boolean[];
  do {
    const first = deathAt;
    died = await Promise.all(Array.from({ length: atOnce }, (_, at) => dieAt(first + at)));
    deathAt += atOnce;
  } while (died.every(Boolean));
  assert(deathAt > 30, `the way had only ${deathAt} side effects`);
});
