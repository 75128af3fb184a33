import type { BlobStore } from "@headwater/blob-store";
import { restoreQueue } from "@headwater/generation/backup";
import type { RecordStore } from "@headwater/record-store";
import { filledTables, finishRestore, restoreRecords, unfinishedRestore } from "@headwater/record-store";
import { atOnce } from "./at-once.ts";
import { backupDamaged, notEmpty, servicesRunning } from "./backup-errors.ts";
import { readFile } from "./checked-file.ts";
import { readLines } from "./compressed-lines.ts";
import type { Installation, ServiceRecords } from "./installation.ts";
import type { Manifest } from "./manifest.ts";
import { originalsFolder, readOriginals } from "./originals-list.ts";
import type { Progress } from "./progress.ts";
import { verifyRecords } from "./verify-backup.ts";

export interface RestoreOptions {
  readonly installation: Installation;
  readonly store: BlobStore;
  readonly manifest: Manifest;
  /** What is here is given up. */
  readonly replace: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  /** Told what went wrong in the background and is tried again. */
  readonly onError: (thrown: unknown) => void;
}

export interface Restored {
  /** Those that were not here. */
  readonly originals: number;
  readonly rows: number;
  /** Jobs that wait in the queue. */
  readonly jobs: number;
}

const copiesAtOnce = 8;

/**
 * Makes originals, records, queue of jobs and place in the log what they were; the indexes are left to a reindex. The
 * originals come first and the records last, so that what breaks off leaves nothing that a service would take for whole.
 * The same again goes on where it was.
 *
 * @throws HeadwaterError FAILED_PRECONDITION where records are here, or services run; DATA_LOSS where the backup is damaged
 */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { installation, store, manifest, replace, signal, onProgress, onError } = options;
  const services = [installation.ingest, installation.generation];
  onProgress({ step: "verify", done: 0, total: 0 });
  await verifyRecords(store, manifest);
  for (const { store: records, kept } of services) {
    await refuseOtherProcesses(records, kept.schema);
    if (!replace) await refuseRecords(records, kept.leftOut, manifest.name);
  }
  onProgress({ step: "log", done: 0, total: 0 });
  await installation.log.rewind(installation.group);
  const originals = await restoreOriginals(options);
  let rows = 0;
  for (const service of services) {
    signal.throwIfAborted();
    onProgress({ step: "records", done: rows, total: 0 });
    rows += await restoreService(options, service);
  }
  onProgress({ step: "queue", done: 0, total: 0 });
  const jobs = await restoreQueue(installation.generation.store, onError);
  return { originals, rows, jobs };
}

/** From now on the installation is like any other. */
export async function finishRestoreOf({ ingest, generation }: Installation): Promise<void> {
  for (const { store } of [ingest, generation]) await finishRestore(store);
}

/** A service would write into tables that go away. */
async function refuseOtherProcesses(records: RecordStore, schema: string): Promise<void> {
  if (!records.shared) return;
  const [other] = await records.query<{ name: string }>(
    `SELECT application_name AS name FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = $1 AND pid <> pg_backend_pid() LIMIT 1`,
    [`headwater ${schema}`],
  );
  if (other) throw servicesRunning(schema);
}

async function refuseRecords(records: RecordStore, leftOut: readonly string[], name: string): Promise<void> {
  if ((await unfinishedRestore(records)) === name) return;
  const filled = (await filledTables(records)).filter((table) => !leftOut.includes(table));
  if (filled.length > 0) throw notEmpty(filled);
}

async function restoreOriginals({
  installation,
  store,
  manifest,
  signal,
  onProgress,
}: RestoreOptions): Promise<number> {
  const lost = new Set(manifest.originals.lost);
  let [done, copied] = [0, 0];
  await atOnce(readOriginals(store, manifest.originals), copiesAtOnce, async ({ key, size, sha256 }) => {
    signal.throwIfAborted();
    done += 1;
    onProgress({ step: "originals", done, total: manifest.originals.count });
    if (lost.has(key) || (await installation.blobs.size(key)) === size) return;
    await installation.blobs.put(key, readFile(store, { key: originalsFolder + key, size, sha256 }));
    copied += 1;
  });
  return copied;
}

async function restoreService(
  { store, manifest, signal }: RestoreOptions,
  { store: records, kept }: ServiceRecords,
): Promise<number> {
  const part = manifest.records.find(({ schema }) => schema === kept.schema);
  if (!part) throw backupDamaged(`it has no records of ${kept.schema}`);
  const tables = part.tables.map(({ name, columns, file }) => ({
    ...{ name, columns },
    async *lines() {
      for await (const lines of readLines(readFile(store, file))) {
        signal.throwIfAborted();
        yield lines;
      }
    },
  }));
  const { migrations, sequences } = part;
  await restoreRecords(records, kept.migrations, { name: manifest.name, migrations, tables, sequences });
  return part.tables.reduce((sum, { rows }) => sum + rows, 0);
}
