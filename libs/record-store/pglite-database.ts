import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PGlite, types } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";
import { HeadwaterError, status } from "@headwater/errors";
import { lockFolder } from "./folder-lock.ts";
import { syncPath, syncTree } from "./sync-tree.ts";
import { SyncedFolder } from "./synced-folder.ts";

/** PGlite's own, less "-F" (no fsync), and with less memory for pages than 128 MB: our tables are small. */
const startParams = [
  ...PGlite.defaultStartParams.filter((parameter) => parameter !== "-F"),
  ...["-c", "wal_sync_method=fsync", "-c", "shared_buffers=16MB", "-c", "jit=off"],
];

const parsers = { [types.INT8]: Number };

/** PostgreSQL's code and files, read and compiled once for all databases of the process: half of what opening one costs. */
let engine: Promise<{ readonly pgliteWasmModule: WebAssembly.Module; readonly fsBundle: Blob }> | undefined;

/** A dump of a new database: making one takes 1 to 2 s, opening a copy 0.2 s. */
let emptyDatabase: Promise<Blob> | undefined;

/** PostgreSQL in the process, and how to end it. */
export interface PgliteDatabase {
  readonly database: PGlite;
  close(): Promise<void>;
}

/** A database that is gone when it is closed. */
export async function openMemoryDatabase(): Promise<PgliteDatabase> {
  emptyDatabase ??= dumpEmptyDatabase();
  const database = await PGlite.create({
    ...(await loadEngine()),
    ...{ loadDataDir: await emptyDatabase, startParams, parsers },
  });
  return { database, close: () => database.close() };
}

/**
 * The database of a folder, which is made where it is not there.
 *
 * @throws HeadwaterError FAILED_PRECONDITION where it is open already, DATA_LOSS where it cannot be read
 */
export async function openFolderDatabase(folder: string): Promise<PgliteDatabase> {
  await mkdir(folder, { recursive: true });
  const unlock = lockFolder(folder);
  try {
    const data = join(folder, "postgres");
    const lockFile = join(data, "postmaster.pid");
    if (!existsSync(data)) await makeDatabase(data);
    const crashed = existsSync(lockFile);
    if (crashed) await syncTree(data);
    // Whoever wrote it is gone, since we hold the lock; PostgreSQL does not start over a damaged one.
    await rm(lockFile, { force: true });
    const fs = new SyncedFolder(data, { synced: crashed });
    const database = await PGlite.create({ ...(await loadEngine()), fs, startParams, parsers });
    const close = async () => {
      try {
        await database.close();
      } finally {
        unlock();
      }
    };
    return { database, close };
  } catch (thrown) {
    unlock();
    throw new HeadwaterError({
      code: status.DATA_LOSS,
      reason: "HW_RECORDS_UNREADABLE",
      message: "The record store on disk cannot be opened.",
      action: "Look at the cause in the log; restore the folder from a backup if it is damaged.",
      cause: thrown,
    });
  }
}

/**
 * Elsewhere first: a process that dies on the way leaves no half of a database under the name that counts. Synced once
 * at the end, which halves the time against an fsync of each file as it is written.
 */
async function makeDatabase(data: string): Promise<void> {
  const unfinished = `${data}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  const database = await PGlite.create({ ...(await loadEngine()), fs: new NodeFS(unfinished) });
  await database.close();
  await syncTree(unfinished);
  await rename(unfinished, data);
  await syncPath(dirname(data));
}

async function dumpEmptyDatabase(): Promise<Blob> {
  const database = await PGlite.create({ ...(await loadEngine()), startParams });
  try {
    return await database.dumpDataDir("none");
  } finally {
    await database.close();
  }
}

function loadEngine() {
  engine ??= (async () => {
    const read = (name: string) => readFile(new URL(name, import.meta.resolve("@electric-sql/pglite")));
    const [code, files] = await Promise.all([read("./pglite.wasm"), read("./pglite.data")]);
    return { pgliteWasmModule: await WebAssembly.compile(code), fsBundle: new Blob([files]) };
  })();
  return engine;
}
