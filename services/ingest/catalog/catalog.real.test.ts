import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";
import { openRecordStore, recordStoreSettings } from "@headwater/record-store";
import { readSettings } from "@headwater/settings";
import { realServer, until } from "@headwater/testing";
import { watch } from "../documents/watch.ts";
import { Catalog } from "./catalog.ts";
import type { DocumentStatus, ServedDocument } from "./document-record.ts";

const url = realServer("POSTGRES_URL");
if (url !== undefined)
  test("two processes of ingest share a catalog in PostgreSQL", async () => {
    const schema = `test_${randomUUID().replaceAll("-", "")}`;
    const values = readSettings(recordStoreSettings, { HEADWATER_POSTGRES_URL: url });
    const openStore = () => openRecordStore(values, { folder: "/nowhere", schema });
    const stores = [await openStore(), await openStore()] as const;
    const [here, there] = await Promise.all(stores.map((store) => Catalog.open(store, assert.ifError)));
    assert.ok(here && there);

    const leaving = new AbortController();
    const seen = new Map<string, DocumentState>();
    const request = {
      tenant: "t",
      ids: [],
      untilSettled: false,
      changesOnly: false,
      changedSince: undefined,
    };
    const watching = (async () => {
      for await (const { document } of watch(here, request, leaving.signal))
        seen.set(document?.metadata?.id ?? "", document?.state ?? 0);
    })();
    const ids = Array.from({ length: 600 }, (_, i) => `d/${i}`);
    await there.noteQueued(ids.map((id) => statusOf(id, DocumentState.QUEUED)));
    await Promise.all(
      ids.map((id) =>
        there.settle({
          status: statusOf(id, DocumentState.INDEXED),
          served: servedOf(id),
          unusedBlobs: [`b/${id}`],
        }),
      ),
    );
    await until("all are seen as indexed", () => ids.every((id) => seen.get(id) === DocumentState.INDEXED));
    leaving.abort();
    await assert.rejects(watching, { name: "AbortError" });

    const [record] = await here.read([{ tenant: "t", documentId: "d/7" }]);
    assert.deepEqual(record, {
      status: { ...statusOf("d/7", DocumentState.INDEXED), updatedAt: record?.status.updatedAt },
      settledVersion: 1,
      served: servedOf("d/7"),
    });
    assert.deepEqual(await here.countByState("t"), new Map([[DocumentState.INDEXED, 600]]));
    assert.deepEqual(await here.originalsAmong(["o/d/3", "none"]), ["o/d/3"]);
    assert.equal((await here.unusedBlobs(1000)).length, 600);
    const page = await here.list({ tenant: "t", idPrefix: "d/59", servedOnly: true, limit: 5 });
    assert.deepEqual(
      page.map(({ status }) => status.documentId),
      ["d/59", "d/590", "d/591", "d/592", "d/593"],
    );

    await Promise.all([here.close(), there.close()]);
    await stores[0].query(`DROP SCHEMA "${schema}" CASCADE`);
    await Promise.all(stores.map((store) => store.close()));
  });

const described = {
  title: "T",
  uri: "",
  mediaType: "text/plain",
  attributes: { k: "v" },
  observedAt: 1_700_000_000_000,
};

function statusOf(documentId: string, state: DocumentState): DocumentStatus {
  return {
    ...{ tenant: "t", documentId, version: 1, state, ...described, failure: null, sizeBytes: 1 },
    ...{ contentSha256: "", passages: 0, textLength: 0, updatedAt: Date.now() },
  };
}

function servedOf(documentId: string): ServedDocument {
  return {
    ...{ ...described, version: 1, contentSha256: "c", descriptionHash: "d", fingerprint: "f" },
    ...{ originalKey: `o/${documentId}`, textKey: "t", sizeBytes: 1, passages: 1, textLength: 1 },
  };
}
