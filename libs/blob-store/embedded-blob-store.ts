import { join } from "node:path";
import { checkKey } from "./blob-key.ts";
import type { BlobStore } from "./blob-store.ts";
import { openFolderBlobStore } from "./folder-blob-store.ts";
import { piecesOf } from "./pieces.ts";
import { SmallBlobs } from "./small-blobs.ts";

/**
 * Bytes up to which a blob is small. Up to about 100 KB SQLite is faster than a file (https://sqlite.org/fasterthanfs.html);
 * to make a file durable takes eight calls of the system and two syncs of the disk.
 */
const smallBytes = 64 * 1024;

/**
 * The embedded blob store: small blobs in one SQLite file, the others, and those whose size is not known, each in a file
 * of its own. Several processes may open it at once; not over a network file system.
 *
 * @param options.folder made where it is not there
 * @throws HeadwaterError
 */
export async function openEmbeddedBlobStore(options: { readonly folder: string }): Promise<BlobStore> {
  const files = await openFolderBlobStore(options);
  try {
    return new EmbeddedBlobStore(await SmallBlobs.open(join(options.folder, "small.sqlite")), files);
  } catch (thrown) {
    await files.close();
    throw thrown;
  }
}

/**
 * A small blob hides a file of the same key. So what is put last is what is seen, also after a crash between two steps,
 * and a store of before, which had files only, is read as it is.
 */
class EmbeddedBlobStore implements BlobStore {
  readonly #small: SmallBlobs;
  readonly #files: BlobStore;

  constructor(small: SmallBlobs, files: BlobStore) {
    this.#small = small;
    this.#files = files;
  }

  async put(key: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    checkKey(key);
    if (content instanceof Uint8Array && content.byteLength <= smallBytes) {
      await this.#small.put(key, content);
      return;
    }
    await this.#files.put(key, content);
    if (this.#small.size(key) !== undefined) await this.#small.delete(key);
  }

  async get(key: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    checkKey(key);
    const content = this.#small.get(key);
    return content ? toAsync(piecesOf(content)) : await this.#files.get(key);
  }

  async size(key: string): Promise<number | undefined> {
    checkKey(key);
    return this.#small.size(key) ?? (await this.#files.size(key));
  }

  async delete(key: string): Promise<void> {
    // The file first: it must not come to light where the second step is not reached.
    await this.#files.delete(key);
    if (this.#small.size(key) !== undefined) await this.#small.delete(key);
  }

  async *list(prefix: string): AsyncGenerator<string> {
    yield* this.#small.keys(prefix);
    for await (const key of this.#files.list(prefix)) {
      if (this.#small.size(key) === undefined) yield key;
    }
  }

  /** A folder has no address. */
  async presignPut(): Promise<undefined> {}

  async presignGet(): Promise<undefined> {}

  async checkHealth(): Promise<void> {
    await this.#files.checkHealth();
    await this.#small.checkHealth();
  }

  async close(): Promise<void> {
    await this.#files.close();
    await this.#small.close();
  }
}

async function* toAsync(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* pieces;
}
