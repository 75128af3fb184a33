import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { recordKey } from "@headwater/document-log";
import { DocumentEvent } from "@headwater/proto/services/headwater/v1/event";
import { temporaryFolder } from "@headwater/testing";
import { BackupLedger } from "../catalog/backup-ledger.ts";
import { Catalog } from "../catalog/catalog.ts";
import { eventually, startHarness } from "../testing/ingest-harness.ts";
import { uploadKey } from "./blob-keys.ts";
import { UploadSweeper } from "./upload-sweeper.ts";

test("uploads that no document came of are deleted; those that anything names, and young ones, are not", async () => {
  const ingest = await startHarness(await temporaryFolder());
  const { blobs, log, records } = ingest.stores;
  const long = Date.now() - 3 * 3_600_000;
  const upload = async (id: string, startedAt: number, content: string) => {
    const key = uploadKey({ tenant: "t", documentId: id }, startedAt, "x");
    await blobs.put(key, Buffer.from(content));
    return key;
  };
  const append = async (id: string, blob: string) => {
    const event = DocumentEvent.fromPartial({
      tenant: "t",
      id,
      version: 1,
      content: { $case: "blob", value: blob },
    });
    await log.append([{ key: recordKey("t", id), value: DocumentEvent.encode(event).finish(), headers: {} }]);
  };
  const lost = await upload("lost", long, "lost");
  const young = await upload("young", Date.now(), "young");
  const served = await upload("served", long, "served");
  const failed = await upload("failed", long, "poison");
  await append("served", served);
  await append("failed", failed);
  await ingest.settled();

  const catalog = await Catalog.open(records, assert.ifError);
  const backups = new BackupLedger(records);
  await backups.keepBlobs("a backup", 3_600_000);
  const options = { blobs, log, group: "ingest", catalog, backups, onError: assert.ifError };
  const held = new UploadSweeper({ ...options, intervalMs: 10 });
  await delay(200);
  await held.close();
  assert(await blobs.size(lost), "a backup needs it");
  await backups.letBlobsGo("a backup");
  const sweeper = new UploadSweeper(options);
  await eventually("the lost one is gone", async () => (await blobs.size(lost)) === undefined);
  await sweeper.close();
  for (const key of [young, served, failed]) assert.notEqual(await blobs.size(key), undefined, key);
  await ingest.close();
});
