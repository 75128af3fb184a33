import type { FileHandle } from "node:fs/promises";
import { mkdir, open, readdir, readFile, rename, rm, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HeadwaterError, status } from "@headwater/errors";
import { blobGone, checkKey } from "./blob-key.ts";
import type { BlobPath } from "./blob-path.ts";
import { blobPath, decodeName, fanOut, keyFileSuffix } from "./blob-path.ts";
import type { BlobStore } from "./blob-store.ts";
import { pieceBytes } from "./pieces.ts";
import { releaseTemporary, removeLeftovers, reserveTemporary } from "./temporary-files.ts";

/**
 * A blob store of plain files, one a blob, under a name made of its key; also on a network file system.
 *
 * @param options.folder made where it is not there
 */
export async function openFolderBlobStore(options: { readonly folder: string }): Promise<BlobStore> {
  try {
    const temporary = join(options.folder, "temporary");
    await mkdir(temporary, { recursive: true });
    for (const name of fanOut) await mkdir(join(options.folder, name), { recursive: true });
    await syncFolder(options.folder);
    await removeLeftovers(temporary);
    return new FolderBlobStore(options.folder, temporary);
  } catch (thrown) {
    throw HeadwaterError.from(thrown);
  }
}

class FolderBlobStore implements BlobStore {
  readonly #folder: string;
  readonly #temporary: string;
  /** Tails of the queues of changes, by key: a put and a delete of one key must not mix. */
  readonly #changes = new Map<string, Promise<void>>();

  constructor(folder: string, temporary: string) {
    this.#folder = folder;
    this.#temporary = temporary;
  }

  async put(key: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    const path = checkedPath(key);
    await this.#withTemporary(async (temporary) => {
      await writeDurably(temporary, content);
      await this.#change(key, async () => {
        // First: a blob whose key is unknown could not be listed; a key without a blob is harmless.
        if (path.keyFile !== undefined) await this.#putKeyFile(path.folder, path.keyFile, key);
        await this.#moveInto(path.folder, path.file, temporary);
      });
    });
  }

  async get(key: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    const path = this.#fileOf(checkedPath(key));
    const size = await sizeOf(path);
    // Opened when it is first read: an answer that nobody reads holds no file open.
    return size === undefined ? undefined : readPieces(path, Math.min(pieceBytes, Math.max(1, size)));
  }

  async size(key: string): Promise<number | undefined> {
    return await sizeOf(this.#fileOf(checkedPath(key)));
  }

  async delete(key: string): Promise<void> {
    const path = checkedPath(key);
    await this.#change(key, async () => {
      if (!(await removeFile(this.#fileOf(path)))) return;
      if (path.keyFile !== undefined) await removeFile(join(this.#folder, path.folder, path.keyFile));
      await syncFolder(join(this.#folder, path.folder));
    });
  }

  async *list(prefix: string): AsyncGenerator<string> {
    for (const folder of fanOut) {
      const names = await wrapped(readdir(join(this.#folder, folder)));
      for (const name of names) {
        if (name.endsWith(keyFileSuffix)) continue;
        const key = decodeName(name) ?? (await this.#readKeyFile(folder, name));
        if (key?.startsWith(prefix)) yield key;
      }
    }
  }

  /** A folder has no address. */
  async presignPut(): Promise<undefined> {}

  async presignGet(): Promise<undefined> {}

  async checkHealth(): Promise<void> {
    try {
      await this.#withTemporary(async (temporary) => {
        await writeFile(temporary, "healthy");
        await rm(temporary);
      });
    } catch (thrown) {
      const error = HeadwaterError.from(thrown);
      if (error.code === status.UNAVAILABLE) throw error;
      throw new HeadwaterError({
        code: status.UNAVAILABLE,
        reason: "HW_BLOBS_UNREACHABLE",
        message: "The folder of the blob store cannot be written.",
        action: "Check that the folder blobs/ of HEADWATER_DATA_DIR is there, and its owner and rights.",
        cause: thrown,
      });
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#changes.values());
  }

  #fileOf(path: BlobPath): string {
    return join(this.#folder, path.folder, path.file);
  }

  async #putKeyFile(folder: string, keyFile: string, key: string): Promise<void> {
    if ((await sizeOf(join(this.#folder, folder, keyFile))) !== undefined) return;
    await this.#withTemporary(async (temporary) => {
      await writeDurably(temporary, Buffer.from(key, "utf8"));
      await this.#moveInto(folder, keyFile, temporary);
    });
  }

  async #readKeyFile(folder: string, file: string): Promise<string | undefined> {
    try {
      return await readFile(join(this.#folder, folder, file + keyFileSuffix), "utf8");
    } catch (thrown) {
      // Deleted since the folder was read.
      if (errorCode(thrown) === "ENOENT") return undefined;
      throw HeadwaterError.from(thrown);
    }
  }

  async #moveInto(folder: string, file: string, temporary: string): Promise<void> {
    await rename(temporary, join(this.#folder, folder, file));
    await syncFolder(join(this.#folder, folder));
  }

  /** Runs `work` with the name of a new file, which it moves away; what is left of it where it fails is removed. */
  async #withTemporary(work: (path: string) => Promise<void>): Promise<void> {
    const path = reserveTemporary(this.#temporary);
    try {
      await work(path);
    } catch (thrown) {
      await rm(path, { force: true });
      throw explained(thrown);
    } finally {
      releaseTemporary(path);
    }
  }

  /** One change of a key after another. */
  async #change(key: string, work: () => Promise<void>): Promise<void> {
    const before = this.#changes.get(key);
    const result = (async () => {
      await before;
      await work();
    })();
    const settled = result.catch(() => {
      // Told to its own caller; the next change does not depend on it.
    });
    this.#changes.set(key, settled);
    try {
      await wrapped(result);
    } finally {
      if (this.#changes.get(key) === settled) this.#changes.delete(key);
    }
  }
}

function checkedPath(key: string): BlobPath {
  checkKey(key);
  return blobPath(key);
}

async function writeDurably(path: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** @param bytes of a piece; small for a small blob, which would otherwise hold a large buffer */
async function* readPieces(path: string, bytes: number): AsyncGenerator<Uint8Array> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (thrown) {
    if (errorCode(thrown) !== "ENOENT") throw HeadwaterError.from(thrown);
    throw blobGone(thrown);
  }
  try {
    while (true) {
      const buffer = Buffer.allocUnsafeSlow(bytes);
      const { bytesRead } = await wrapped(file.read(buffer, 0, bytes));
      if (bytesRead === 0) return;
      yield bytesRead === bytes ? buffer : buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (thrown) {
    if (errorCode(thrown) === "ENOENT") return undefined;
    throw HeadwaterError.from(thrown);
  }
}

/** @returns whether there was one */
async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (thrown) {
    if (errorCode(thrown) === "ENOENT") return false;
    throw thrown;
  }
}

/** Makes new and removed names in a folder durable. */
async function syncFolder(path: string): Promise<void> {
  // Windows has no such thing: it keeps names in its journal.
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function wrapped<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (thrown) {
    throw explained(thrown);
  }
}

/** The system's errors as ours; what the source of a blob's bytes throws goes back to the caller as it is. */
function explained(thrown: unknown): unknown {
  return errorCode(thrown) === undefined ? thrown : HeadwaterError.from(thrown);
}

function errorCode(thrown: unknown): unknown {
  return thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
}
