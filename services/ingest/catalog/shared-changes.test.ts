import assert from "node:assert/strict";
import { test } from "node:test";
import { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";
import type { Listener, RecordStore } from "@headwater/record-store";
import { openPgliteRecordStore } from "@headwater/record-store/embedded";
import { until } from "@headwater/testing";
import { watch } from "../documents/watch.ts";
import { Catalog } from "./catalog.ts";
import type { DocumentStatus } from "./document-record.ts";

/** One database as two processes see it. */
async function startProcesses() {
  const database = await openPgliteRecordStore({ folder: undefined, schema: "ingest" });
  const listeners: Listener[] = [];
  let isDown = false;
  const store = (): RecordStore => ({
    shared: true,
    driver: database.driver,
    query: (sql, parameters) => database.query(sql, parameters),
    transaction: (work) => database.transaction(work),
    migrate: (migrations) => database.migrate(migrations),
    notify: async (channel, payloads) => {
      if (isDown) throw new Error("away");
      await database.notify(channel, payloads);
    },
    listen: async (channel, listener) => {
      listeners.push(listener);
      return await database.listen(channel, listener);
    },
    checkHealth: () => database.checkHealth(),
    close: async () => {},
  });
  const errors: unknown[] = [];
  const open = () => Catalog.open(store(), (thrown) => errors.push(thrown));
  const [here, there] = await Promise.all([open(), open()]);
  return {
    ...{ here, there, listeners, errors },
    setDown(down: boolean) {
      isDown = down;
    },
    async close() {
      await Promise.all([here.close(), there.close()]);
      await database.close();
    },
  };
}

function statusOf(documentId: string, version: number, state: DocumentState, title = ""): DocumentStatus {
  return {
    ...{ tenant: "t", documentId, version, state, title, uri: "", mediaType: "text/plain", attributes: {} },
    ...{ observedAt: 0, failure: null, sizeBytes: 1, contentSha256: "", passages: 0, textLength: 0 },
    updatedAt: Date.now(),
  };
}

/** What a watcher is told, by document. */
function startWatching(catalog: Catalog, request: { ids?: string[]; untilSettled?: boolean } = {}) {
  const leaving = new AbortController();
  const seen: [string, number, DocumentState][] = [];
  const request_ = {
    tenant: "t",
    ids: [],
    untilSettled: false,
    changesOnly: false,
    changedSince: undefined,
    ...request,
  };
  const ended = (async () => {
    for await (const { document } of watch(catalog, request_, leaving.signal))
      seen.push([document?.metadata?.id ?? "", document?.metadata?.version ?? 0, document?.state ?? 0]);
  })().catch((thrown: unknown) => assert.ok(leaving.signal.aborted, String(thrown)));
  return {
    seen,
    ended,
    stop: async () => {
      leaving.abort();
      await ended;
    },
  };
}

const settle = (catalog: Catalog, status: DocumentStatus) =>
  catalog.settle({ status, served: null, unusedBlobs: [] });

test("a watcher sees what another process does, and its watch ends there", async () => {
  const processes = await startProcesses();
  const { here, there } = processes;
  const watching = startWatching(here, { ids: ["a"], untilSettled: true });
  await there.noteQueued([statusOf("a", 1, DocumentState.QUEUED)]);
  await until("queued is seen", () => watching.seen.some(([, , state]) => state === DocumentState.QUEUED));
  there.noteProgress(statusOf("a", 1, DocumentState.EMBEDDING));
  await until("progress is seen", () =>
    watching.seen.some(([, , state]) => state === DocumentState.EMBEDDING),
  );
  there.noteProgress(statusOf("other", 1, DocumentState.EMBEDDING));
  await settle(there, statusOf("a", 1, DocumentState.INDEXED));
  await watching.ended;
  assert.deepEqual(watching.seen.at(-1), ["a", 1, DocumentState.INDEXED]);
  assert.ok(watching.seen.every(([id]) => id === "a"));
  assert.deepEqual(processes.errors, []);
  await processes.close();
});

test("an older version that another process settles is not shown after a newer one that is queued here", async () => {
  const processes = await startProcesses();
  const { here, there } = processes;
  const watching = startWatching(here);
  here.noteProgress(statusOf("a", 2, DocumentState.PARSING));
  await settle(there, statusOf("a", 1, DocumentState.INDEXED));
  await settle(there, statusOf("end", 1, DocumentState.INDEXED));
  await until("the later change is seen", () => watching.seen.some(([id]) => id === "end"));
  assert.ok(watching.seen.every(([id, version]) => id !== "a" || version === 2));
  await watching.stop();
  await processes.close();
});

test("what was under way here and is settled elsewhere is not under way any more", async () => {
  const processes = await startProcesses();
  const { here, there } = processes;
  here.noteProgress(statusOf("a", 1, DocumentState.EMBEDDING));
  await settle(there, statusOf("a", 1, DocumentState.INDEXED));
  await until("it is known here", async () => {
    const [record] = await here.read([{ tenant: "t", documentId: "a" }]);
    return record?.status.state === DocumentState.INDEXED;
  });
  await processes.close();
});

test("what is queued here is known there as soon as it has its receipt", async () => {
  const processes = await startProcesses();
  const { here, there } = processes;
  await settle(here, statusOf("a", 1, DocumentState.INDEXED));
  await here.noteQueued([statusOf("a", 2, DocumentState.QUEUED)]);
  const [record] = await there.read([{ tenant: "t", documentId: "a" }]);
  assert.deepEqual([record?.status.version, record?.status.state], [2, DocumentState.QUEUED]);
  await processes.close();
});

test("after a gap, and of a status too large to be told, watchers read what is stored", async () => {
  const processes = await startProcesses();
  const { here, there } = processes;
  const all = startWatching(here);
  const some = startWatching(here, { ids: ["large"] });
  await settle(there, statusOf("large", 1, DocumentState.INDEXED, "x".repeat(9000)));
  for (const { seen } of [all, some])
    await until("the large one is seen", () => seen.some(([id]) => id === "large"));

  processes.setDown(true);
  await settle(there, statusOf("unheard", 1, DocumentState.INDEXED));
  await until("it could not be told", () => processes.errors.length > 0);
  for (const listener of processes.listeners) listener.onGap(Date.now() - 60_000);
  await until("the gap is filled", () => all.seen.some(([id]) => id === "unheard"));
  assert.ok(some.seen.every(([id]) => id === "large"));
  processes.setDown(false);
  await Promise.all([all.stop(), some.stop()]);
  await processes.close();
});
