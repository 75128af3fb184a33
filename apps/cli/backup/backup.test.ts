import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { BlobStore } from "@headwater/blob-store";
import { openEmbeddedBlobStore, openFolderBlobStore } from "@headwater/blob-store";
import { openSqliteDocumentLog } from "@headwater/document-log";
import { keptRecords as keptOfGeneration } from "@headwater/generation/backup";
import { BackupLedger, keptRecords as keptOfIngest } from "@headwater/ingest/backup";
import type { KeptRecords } from "@headwater/record-store";
import { openPgliteRecordStore } from "@headwater/record-store/embedded";
import { temporaryFolder } from "@headwater/testing";
import type { Installation } from "./installation.ts";
import { listBackups, readManifest } from "./manifest.ts";
import { finishRestoreOf, restoreBackup } from "./restore-backup.ts";
import { takeBackup } from "./take-backup.ts";
import { verifyOriginals, verifyRecords } from "./verify-backup.ts";

const signal = new AbortController().signal;
const quiet = { signal, onProgress: () => {}, onError: assert.ifError };

describe("backups", () => {
  let installation: Installation;
  let store: BlobStore;
  const opened: { close(): Promise<void> }[] = [];

  const openNew = async (): Promise<Installation> => {
    const folder = await temporaryFolder();
    const records = async (kept: KeptRecords) => {
      const opening = await openPgliteRecordStore({ folder: undefined, schema: kept.schema });
      await opening.migrate(kept.migrations);
      return { store: opening, kept };
    };
    const [ingest, generation] = [await records(keptOfIngest), await records(keptOfGeneration)];
    const blobs = await openEmbeddedBlobStore({ folder: join(folder, "blobs") });
    const log = await openSqliteDocumentLog({ folder: join(folder, "log"), onError: assert.ifError });
    const close = async () => {
      for (const one of [log, blobs, ingest.store, generation.store]) await one.close();
    };
    const made = { ingest, generation, blobs, log, group: "ingest", close };
    opened.push(made);
    return made;
  };
  beforeEach(async () => {
    installation = await openNew();
    store = await openFolderBlobStore({ folder: await temporaryFolder() });
    opened.push(store);
  });
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });

  /** As ingest leaves it. */
  const put = async (id: string, version: number) => {
    const content = Buffer.from(`${id} in version ${version}`);
    const key = `originals/default/${createHash("sha256").update(id).digest("hex").slice(0, 32)}/${version}`;
    await installation.blobs.put(key, content);
    const sha256 = createHash("sha256").update(content).digest("hex");
    const served = { version, originalKey: key, sizeBytes: content.byteLength, contentSha256: sha256 };
    await installation.ingest.store.query(
      `INSERT INTO documents VALUES ('default', $1, $2, 4, 0, '{}', $2, $3::jsonb)
       ON CONFLICT (tenant, id) DO UPDATE SET version = $2, served = $3::jsonb`,
      [id, version, JSON.stringify(served)],
    );
    return key;
  };
  const take = (into = store, retention = 10) =>
    takeBackup({ ...quiet, installation, store: into, destination: "here", retention });
  const restoreInto = async (target: Installation, from = store) => {
    const name = (await listBackups(from)).finished.at(-1) ?? "";
    const manifest = await readManifest(from, name, "here");
    return await restoreBackup({ ...quiet, installation: target, store: from, manifest, replace: false });
  };
  const rowsOf = async ({ ingest }: Installation) =>
    await ingest.store.query("SELECT d::text FROM documents AS d ORDER BY tenant, id");

  test("each original is copied once, in whatever order ids sort", async () => {
    for (const id of ["b", "a/ä", "Z", "\u{10000}", "\uffff"]) await put(id, 1);
    assert.equal((await take()).manifest.originals.copied, 5);
    await put("a/ä", 2);
    await put("new", 1);
    const { manifest } = await take();
    assert.deepEqual([manifest.originals.count, manifest.originals.copied], [6, 2]);
    await verifyRecords(store, manifest);
    await verifyOriginals(store, manifest, "sums", () => {}, signal);
  });

  test("one that breaks off leaves no backup, and the next one goes on with what it copied", async () => {
    for (let at = 0; at < 30; at += 1) await put(`document ${at}`, 1);
    let left = 20;
    const failing: BlobStore = Object.assign(Object.create(store) as BlobStore, {
      put: async (key: string, content: Uint8Array) => {
        left -= 1;
        if (left < 0) throw new Error("the disk is full");
        await store.put(key, content);
      },
      get: store.get.bind(store),
      size: store.size.bind(store),
      list: store.list.bind(store),
    });
    await assert.rejects(take(failing), /the disk is full/);
    assert.deepEqual((await listBackups(store)).finished, []);
    assert.equal(await new BackupLedger(installation.ingest.store).keepsBlobs(), false);
    const { manifest } = await take();
    assert(manifest.originals.copied > 0 && manifest.originals.copied < 30, `${manifest.originals.copied}`);
    await verifyOriginals(store, manifest, "sums", () => {}, signal);
    assert.deepEqual((await listBackups(store)).unfinished, [], "what is left of the other is removed");
  });

  test("old backups go with the originals that only they need, also where the removal breaks off", async () => {
    const old = await put("document", 1);
    const kept = await put("other", 1);
    await take();
    await put("document", 2);
    await take();
    const failing: BlobStore = Object.assign(Object.create(store) as BlobStore, {
      put: store.put.bind(store),
      get: store.get.bind(store),
      size: store.size.bind(store),
      list: store.list.bind(store),
      delete: async (key: string) => {
        if (key.startsWith("originals/")) throw new Error("away");
        await store.delete(key);
      },
    });
    await assert.rejects(take(failing, 2), /away/);
    assert.equal((await listBackups(store)).finished.length, 2, "the oldest is no backup any more");
    assert(await store.size(`originals/${old}`));
    await take(store, 2);
    assert.equal(await store.size(`originals/${old}`), undefined);
    assert(await store.size(`originals/${kept}`));
  });

  test("an original that is gone or damaged is named, and the rest is whole", async () => {
    const gone = await put("gone", 1);
    const damaged = await put("damaged", 1);
    await put("well", 1);
    await installation.blobs.delete(gone);
    await installation.blobs.put(damaged, Buffer.from("damaged in version 2"));
    const { manifest } = await take();
    assert.deepEqual(manifest.originals.lost.sort(), [gone, damaged].sort());
    await verifyOriginals(store, manifest, "sums", () => {}, signal);
  });

  test("two at one time are refused, and no blob is offered for deletion meanwhile", async () => {
    const ledger = new BackupLedger(installation.ingest.store);
    await ledger.keepBlobs("another", 60_000);
    await assert.rejects(take(), { reason: "HW_BACKUP_RUNNING" });
    await ledger.letBlobsGo("another");
    const { manifest } = await take();
    assert.deepEqual(await ledger.lastSuccess(), { name: manifest.name, at: manifest.at });
  });

  test("a restore that breaks off goes on, and one into what is not empty is refused", async () => {
    for (let at = 0; at < 30; at += 1) await put(`document ${at}`, 1);
    await installation.generation.store.query(
      `INSERT INTO jobs (id, tenant, owner, kind, state, input, max_attempts, priority, queue_id)
       VALUES ($1, 't', 'o', 'evaluate', 'active', '{}', 3, 0, $1)`,
      [randomUUID()],
    );
    await take();
    const target = await openNew();
    let left = 10;
    const failing: BlobStore = Object.assign(Object.create(target.blobs) as BlobStore, {
      size: target.blobs.size.bind(target.blobs),
      put: async (key: string, content: AsyncIterable<Uint8Array>) => {
        left -= 1;
        if (left < 0) throw new Error("the disk is full");
        await target.blobs.put(key, content);
      },
    });
    await assert.rejects(restoreInto({ ...target, blobs: failing }), /the disk is full/);
    assert.deepEqual(await rowsOf(target), [], "records come last");
    const restored = await restoreInto(target);
    assert(restored.originals < 30, `${restored.originals} were not there yet`);
    assert.equal(restored.jobs, 1);
    assert.deepEqual(await rowsOf(target), await rowsOf(installation));
    // Before it is finished, the same again is a continuation; afterwards the records are somebody's.
    await restoreInto(target);
    await finishRestoreOf(target);
    await assert.rejects(restoreInto(target), { reason: "HW_RESTORE_NOT_EMPTY" });
  });
});
