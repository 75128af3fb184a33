import { randomUUID } from "node:crypto";
import type { BlobStore } from "@headwater/blob-store";
import { HeadwaterError, status } from "@headwater/errors";
import type { Original } from "@headwater/ingest/backup";
import { BackupLedger, originalsOf } from "@headwater/ingest/backup";
import type { RecordSnapshot } from "@headwater/record-store";
import { readSnapshot } from "@headwater/record-store";
import { atOnce } from "./at-once.ts";
import { nothingToBackUp, otherVersion } from "./backup-errors.ts";
import { checked, writeFile } from "./checked-file.ts";
import { compressLines } from "./compressed-lines.ts";
import type { Installation, ServiceRecords } from "./installation.ts";
import type { Manifest, RecordsPart } from "./manifest.ts";
import { folderOf, listBackups, nameOf, readManifest, writeManifest } from "./manifest.ts";
import type { OriginalsList } from "./originals-list.ts";
import { originalsFolder, readOriginals, without, writeOriginals } from "./originals-list.ts";
import type { Progress } from "./progress.ts";
import type { Removed } from "./retention.ts";
import { removeOldBackups } from "./retention.ts";

export interface TakeBackupOptions {
  readonly installation: Installation;
  readonly store: BlobStore;
  /** As people name it. */
  readonly destination: string;
  /** Backups that stay, this one among them. */
  readonly retention: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  /** Told what went wrong in the background and is tried again. */
  readonly onError: (thrown: unknown) => void;
}

export interface TakenBackup {
  readonly manifest: Manifest;
  readonly removed: Removed;
}

/** Originals that are copied at one time; memory is 16 MiB each at most. */
const copiesAtOnce = 8;
/** Milliseconds for which a backup that died keeps blobs from being deleted; it renews that three times as often. */
const keepMs = 60_000;
/** Beyond this the blob store is broken, and no backup of it is worth its name. */
const maxLost = 1000;

/**
 * Writes what an installation is made of to the destination: first its records, each service's as they are at one
 * moment, then the originals that these records name and that no backup before had. No blob is deleted meanwhile, so
 * every record has its original. One that is interrupted leaves no backup, and what it has copied is not copied again.
 *
 * @throws HeadwaterError ABORTED while another one runs
 */
export async function takeBackup(options: TakeBackupOptions): Promise<TakenBackup> {
  const { installation, store, destination, signal, onProgress } = options;
  await checkCurrent(installation.ingest);
  await checkCurrent(installation.generation);
  const ledger = new BackupLedger(installation.ingest.store);
  const { finished } = await listBackups(store);
  const before = finished.at(-1);
  const previous = before === undefined ? undefined : await readManifest(store, before, destination);
  const started = performance.now();
  const at = Date.now();
  const name = nameOf(at);
  await using _kept = await keepBlobs(ledger, options.onError);
  const waiting = await countWaiting(installation);
  const folder = folderOf(name);
  onProgress({ step: "records", done: 0, total: 0 });
  const [ofIngest, list] = await readSnapshot(installation.ingest.store, async (snapshot) => [
    await writeRecords(store, folder, installation.ingest, snapshot, signal),
    await writeOriginals(store, `${folder}originals.ndjson.gz`, originalsOf(snapshot)),
  ]);
  const ofGeneration = await readSnapshot(installation.generation.store, (snapshot) =>
    writeRecords(store, folder, installation.generation, snapshot, signal),
  );
  const copied = await copyOriginals(options, list, previous?.originals);
  const manifest: Manifest = {
    ...{ format: 1, name, at, took_ms: Math.round(performance.now() - started), waiting },
    records: [ofIngest, ofGeneration],
    originals: { ...list, ...copied },
  };
  await writeManifest(store, manifest);
  await ledger.noteSuccess({ name, at });
  // While no other one can begin, whose files would look like those of one that was interrupted.
  return { manifest, removed: await removeOldBackups(store, options.retention, destination) };
}

async function checkCurrent({ store, kept }: ServiceRecords): Promise<void> {
  const applied = await readSnapshot(store, async ({ migrations }) => migrations);
  if (applied.length === 0) throw nothingToBackUp();
  if (applied.length !== kept.migrations.length) throw otherVersion(kept.schema);
}

/** Until it is disposed of. */
async function keepBlobs(ledger: BackupLedger, onError: (thrown: unknown) => void): Promise<AsyncDisposable> {
  const owner = randomUUID();
  await ledger.keepBlobs(owner, keepMs);
  // One that cannot be renewed in time shows as originals that are lost.
  const timer = setInterval(() => void ledger.keepBlobs(owner, keepMs).catch(onError), keepMs / 3);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await ledger.letBlobsGo(owner);
    },
  };
}

async function countWaiting({ log, group }: Installation): Promise<number> {
  const lag = await log.lag(group);
  return lag.reduce((sum, { endOffset, committedOffset }) => sum + endOffset - committedOffset, 0);
}

async function writeRecords(
  store: BlobStore,
  folder: string,
  { kept }: ServiceRecords,
  snapshot: RecordSnapshot,
  signal: AbortSignal,
): Promise<RecordsPart> {
  const tables: RecordsPart["tables"] = [];
  for (const { name, columns } of snapshot.tables) {
    if (kept.leftOut.includes(name)) continue;
    let rows = 0;
    const counted = async function* () {
      for await (const lines of snapshot.lines({ name, columns })) {
        signal.throwIfAborted();
        rows += lines.length;
        yield lines;
      }
    };
    const key = `${folder}${kept.schema}/${name}.ndjson.gz`;
    const file = await writeFile(store, key, compressLines(counted()));
    tables.push({ name, columns: [...columns], rows, file });
  }
  const { migrations, sequences } = snapshot;
  return { schema: kept.schema, migrations: [...migrations], tables, sequences: [...sequences] };
}

type Copied = Pick<Manifest["originals"], "copied" | "copied_bytes" | "lost">;

async function copyOriginals(
  { installation, store, signal, onProgress }: TakeBackupOptions,
  list: OriginalsList,
  before: OriginalsList | undefined,
): Promise<Copied> {
  const lost: string[] = [];
  let [copied, bytes] = [0, 0];
  const all = readOriginals(store, list);
  const fresh = before ? without(all, readOriginals(store, before)) : all;
  await atOnce(fresh, copiesAtOnce, async (original) => {
    signal.throwIfAborted();
    const outcome = await copyOriginal(installation.blobs, store, original);
    if (outcome === "lost") lost.push(original.key);
    if (lost.length > maxLost)
      throw new HeadwaterError({
        ...{ code: status.DATA_LOSS, reason: "HW_BACKUP_ORIGINALS_LOST" },
        message: `More than ${maxLost} originals are gone or damaged in the blob store, such as ${original.key}.`,
        action: "`headwater doctor` counts them; no older backup was removed.",
      });
    if (outcome !== "copied") return;
    copied += 1;
    bytes += original.size;
    onProgress({ step: "originals", done: copied, total: list.count });
  });
  return { copied, copied_bytes: bytes, lost };
}

async function copyOriginal(
  from: BlobStore,
  to: BlobStore,
  { key, size, sha256 }: Original,
): Promise<"copied" | "there" | "lost"> {
  const target = originalsFolder + key;
  // Of a backup that was interrupted; blobs are written whole or not at all.
  if ((await to.size(target)) === size) return "there";
  const content = await from.get(key);
  if (!content) return "lost";
  try {
    await to.put(target, checked(content, { key, size, sha256 }));
    return "copied";
  } catch (thrown) {
    if (thrown instanceof HeadwaterError && thrown.reason === "HW_BACKUP_DAMAGED") return "lost";
    throw thrown;
  }
}
