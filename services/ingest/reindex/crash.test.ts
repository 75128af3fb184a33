import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { openEmbeddedBlobStore } from "@headwater/blob-store";
import type { NewLogRecord } from "@headwater/document-log";
import { openSqliteDocumentLog, recordKey } from "@headwater/document-log";
import { DocumentEvent } from "@headwater/proto/services/headwater/v1/event";
import { ReindexAction, ReindexState } from "@headwater/proto/services/headwater/v1/ingest";
import { openPgliteRecordStore } from "@headwater/record-store/embedded";
import { temporaryFolder } from "@headwater/testing";
import { Catalog } from "../catalog/catalog.ts";
import { GenerationLedger } from "../catalog/generation-ledger.ts";
import { readIngestConfig } from "../config.ts";
import type { Stores } from "../stores.ts";
import { FakeEmbeddingWorker } from "../testing/fake-embedding-worker.ts";
import { eventually } from "../testing/ingest-harness.ts";
import type { MemoryIndex } from "../testing/memory-index.ts";
import { MemoryIndexStore } from "../testing/memory-index.ts";
import type { MortalIngest } from "../testing/mortal-ingest.ts";
import { startMortal } from "../testing/mortal-ingest.ts";
import { Mortality } from "../testing/mortality.ts";

const folder = await temporaryFolder();
const worker = new FakeEmbeddingWorker();
await worker.start();
const config = readIngestConfig({
  HEADWATER_EMBEDDING_ADDRESS: worker.address,
  HEADWATER_INGEST_INDEX_LINGER_MS: "5",
});
const forever = new AbortController().signal;
const patienceMs = 60_000;
/** Lives that go on at the same time, for they mostly wait. */
const atOnce = 6;
/** Every so many-th side effect; in which order they come is up to chance, so that in time each one's turn comes. */
const stride = 3;
/** More than two pages of the reindex, so that there is something to go on with. */
const documents = 12;
const immortal = new Mortality(Number.POSITIVE_INFINITY);
const { UNSPECIFIED: GO_ON, UNDO } = ReindexAction;

interface Place extends Stores {
  readonly indexes: MemoryIndexStore;
  readonly catalog: Catalog;
  readonly ledger: GenerationLedger;
  close(): Promise<void>;
}

async function openPlace(name: string): Promise<Place> {
  const indexes = new MemoryIndexStore();
  const log = await openSqliteDocumentLog({ folder: join(folder, name, "log"), partitions: 2 });
  const blobs = await openEmbeddedBlobStore({ folder: join(folder, name, "blobs") });
  const records = await openPgliteRecordStore({ folder: undefined, schema: "ingest" });
  const catalog = await Catalog.open(records, () => {});
  return {
    ...{ indexes, log, blobs, records, catalog },
    ledger: new GenerationLedger(records),
    async close() {
      for (const store of [log, blobs, catalog, records]) await store.close();
    },
  };
}

function put(id: string, version: number, text: string): NewLogRecord {
  const event = { tenant: "t", id, version, content: { $case: "inline" as const, value: Buffer.from(text) } };
  const value = DocumentEvent.encode(DocumentEvent.fromPartial(event)).finish();
  return { key: recordKey("t", id), value, headers: {} };
}

const idOf = (at: number) => `d${String(at).padStart(3, "0")}`;
const first = Array.from({ length: documents }, (_, at) => put(idOf(at), 1, `text ${at}`));
/** Before and behind the first page's end; one is new and one is deleted. */
const changes: NewLogRecord[] = [
  put(idOf(3), 2, "changed"),
  put(idOf(documents - 2), 2, "changed"),
  put("a new one", 1, "new"),
  { key: recordKey("t", idOf(5)), value: null, headers: {} },
];
const expected = new Map<string, string[]>([
  ...first.map((_, at) => [idOf(at), [`1:text ${at}`]] satisfies [string, string[]]),
  [idOf(3), ["2:changed"]],
  [idOf(documents - 2), ["2:changed"]],
  ["a new one", ["1:new"]],
  [idOf(5), []],
]);

async function isLogDone({ log }: Place): Promise<boolean> {
  const lag = await log.lag(config.pipeline.group);
  return lag.every(({ endOffset, committedOffset }) => endOffset === committedOffset);
}

/** Until it is done or dead. */
async function reindexUntilDeath(
  place: Place,
  ingest: MortalIngest,
  mortality: Mortality,
  action: ReindexAction,
): Promise<void> {
  const cut = new AbortController();
  let ended = false;
  const run = Array.fromAsync(ingest.reindexer.run(undefined, action, cut.signal)).then(
    () => {
      ended = true;
    },
    (thrown: unknown) => {
      ended = true;
      if (!mortality.dead) throw thrown;
    },
  );
  await eventually(
    "done or dead",
    async () => mortality.dead || (ended && (await isLogDone(place))),
    patienceMs,
  );
  cut.abort();
  await run;
}

function assertWhole(index: MemoryIndex): void {
  const ids = new Set([...index.passages.values()].map(({ documentId }) => documentId));
  for (const id of expected.keys())
    assert.deepEqual(index.textsOf("t", id), expected.get(id), `${id} in ${index.generation}`);
  assert.equal(ids.size, [...expected.values()].filter(({ length }) => length > 0).length);
}

/** @returns false where the reindex was over before death came */
async function dieAt(deathAt: number, action: ReindexAction): Promise<boolean> {
  await using resources = new AsyncDisposableStack();
  const place = await openPlace(`${action}-${deathAt}`);
  resources.defer(() => place.close());
  const live = async (mortality: Mortality): Promise<MortalIngest> => {
    const ingest = await startMortal(place, mortality, config);
    resources.defer(() => ingest.end());
    return ingest;
  };

  await place.log.append(first);
  const before = await live(immortal);
  await eventually("all is indexed", () => isLogDone(place), patienceMs);
  if (action === UNDO) await Array.fromAsync(before.reindexer.run(undefined, GO_ON, forever));
  await before.end();
  const old = place.indexes.current;

  await place.log.append(changes);
  const mortality = new Mortality(deathAt);
  try {
    const mortal = await live(mortality);
    await reindexUntilDeath(place, mortal, mortality, action);
    await mortal.end();
  } catch (thrown) {
    // Dead before it had begun.
    if (!mortality.dead) throw thrown;
  }
  // One of the changes is a deletion, which may be all of them that is done.
  assert(place.indexes.current === old || place.indexes.current.passages.size >= documents - 1);

  const heir = await live(immortal);
  await eventually("what was pushed is done", () => isLogDone(place), patienceMs);
  assertWhole(place.indexes.current);
  // Not by what is active: between that and the ledger's word a switch may be torn.
  if ((await place.ledger.read()).serving === old.generation)
    await Array.fromAsync(heir.reindexer.run(undefined, action, forever));
  await heir.end();
  assert.notEqual(place.indexes.current, old);
  assertWhole(place.indexes.current);
  assert.equal(place.indexes.all.size, 2, "one serves and one is kept");
  const { serving, state } = await place.ledger.read();
  assert.deepEqual([serving, state], [place.indexes.current.generation, ReindexState.SWITCHED]);
  return mortality.dead;
}

for (const [action, name] of [
  [GO_ON, "a reindex"],
  [UNDO, "an undo"],
] as const) {
  test(`death right after any side effect of ${name} loses nothing and makes nothing twice`, async () => {
    let deathAt = 1;
    let died: boolean[];
    do {
      const from = deathAt;
      died = await Promise.all(Array.from({ length: atOnce }, (_, at) => dieAt(from + at * stride, action)));
      deathAt += atOnce * stride;
    } while (died.every(Boolean));
    assert(deathAt > 20, `the way had only ${deathAt} side effects`);
  });
}

after(() => worker.stop());
