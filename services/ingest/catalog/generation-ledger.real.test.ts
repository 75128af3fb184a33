import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";
import { openRecordStore, recordStoreSettings } from "@headwater/record-store";
import { readSettings } from "@headwater/settings";
import { realServer } from "@headwater/testing";
import type { Settlement } from "./catalog.ts";
import { Catalog } from "./catalog.ts";
import type { DocumentRecord } from "./document-record.ts";
import type { PendingChange } from "./generation-ledger.ts";
import { GenerationLedger } from "./generation-ledger.ts";

const description = { title: "", uri: "", mediaType: "text/plain", attributes: {}, observedAt: 1 };

function settlement(documentId: string, version: number, generation: string): Settlement {
  const common = { ...description, version, contentSha256: "", sizeBytes: 1, passages: 1, textLength: 1 };
  return {
    generation,
    status: {
      ...{ ...common, tenant: "t", documentId, state: DocumentState.INDEXED, failure: null },
      updatedAt: Date.now(),
    },
    served: { ...common, descriptionHash: "", fingerprint: "", originalKey: "o", textKey: "o" },
    unusedBlobs: version % 3 === 0 ? [`${documentId}/${version}`] : [],
  };
}

/** Of each writer, which settles them in one statement: long enough for the other to get in between. */
const documents = 400;

const url = realServer("POSTGRES_URL");
if (url !== undefined)
  test("over many switches, while processes settle, the generation that comes has what the one before has", async () => {
    const schema = `test_${randomUUID().replaceAll("-", "")}`;
    const values = readSettings(recordStoreSettings, { HEADWATER_POSTGRES_URL: url });
    const stores = await Promise.all(
      Array.from({ length: 3 }, () => openRecordStore(values, { folder: "/nowhere", schema })),
    );
    const catalogs: Catalog[] = [];
    for (const store of stores) catalogs.push(await Catalog.open(store, assert.ifError));
    const [store] = stores;
    const [catalog, ...writing] = catalogs;
    assert(store && catalog);
    const ledger = new GenerationLedger(store);
    /** What each generation holds: document → version. */
    const generations = [new Map<string, number>()];
    await ledger.serve(async () => ({ generation: "0" }));
    const owner = randomUUID();
    assert(await ledger.acquire(owner, 60_000));

    let serving = 0;
    let over = false;
    let [settled, refused] = [0, 0];
    const write = async (writer: Catalog, which: number): Promise<void> => {
      for (let version = 1; !over; version += 1) {
        // As a pipeline that has yet to notice a switch, or one that has.
        const generation = serving;
        const ids = Array.from({ length: documents }, (_, at) => `${which}/${at}`);
        await Promise.all(
          ids.map(async (id) => {
            generations[generation]?.set(id, version);
            const isSettled = await writer.settle(settlement(id, version, String(generation)));
            if (isSettled) settled += 1;
            else refused += 1;
          }),
        );
      }
    };
    const writers = writing.map(write);

    const takeIn = async (target: Map<string, number>, changes: readonly PendingChange[]) => {
      const records = await catalog.read(changes);
      for (const record of records)
        if (record?.served) target.set(record.status.documentId, record.served.version);
    };
    await using resources = new AsyncDisposableStack();
    resources.defer(async () => {
      over = true;
      await Promise.all(writers);
      await ledger.release(owner);
      for (const one of catalogs) await one.close();
      await store.query(`DROP SCHEMA "${schema}" CASCADE`);
      for (const one of stores) await one.close();
    });
    for (let round = 1; round <= 12; round += 1) {
      const target = new Map<string, number>();
      generations.push(target);
      await ledger.begin(owner, String(round), 0);
      const all = await catalog.list({ servedOnly: true, limit: 1000 });
      for (const { status, served } of all) target.set(status.documentId, served?.version ?? 0);
      let isServing = false;
      let held: Map<string, number> = new Map();
      while (!isServing) {
        await ledger.holdSettlements(owner, 5000);
        for (
          let changes = await ledger.changes(1000);
          changes.length > 0;
          changes = await ledger.changes(1000)
        ) {
          await takeIn(target, changes);
          await ledger.forgetChanges(changes);
        }
        isServing = await ledger.switch(owner, String(round), async () => {
          held = new Map(target);
        });
      }
      // Nobody writes into it yet: what the catalog serves at this moment must be what it holds.
      const served: DocumentRecord[] = await catalog.list({ servedOnly: true, limit: 1000 });
      assert.deepEqual(
        new Map(served.map(({ status, served: now }) => [status.documentId, now?.version])),
        new Map([...held].sort(([one], [other]) => (one < other ? -1 : 1))),
        `round ${round}`,
      );
      serving = round;
      const before = settled;
      while (settled < before + documents) await delay(5);
    }
    assert(refused > 0, "no settlement ever came too late");
  });
