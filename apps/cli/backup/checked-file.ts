import { createHash } from "node:crypto";
import type { BlobStore } from "@headwater/blob-store";
import { backupDamaged } from "./backup-errors.ts";

/** A blob, and what its bytes must come to. */
export interface CheckedFile {
  readonly key: string;
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

type Bytes = AsyncIterable<Uint8Array>;

/** Writes a blob whose size and sum nobody knows yet. */
export async function writeFile(store: BlobStore, key: string, content: Bytes): Promise<CheckedFile> {
  const sum = createHash("sha256");
  let size = 0;
  await store.put(
    key,
    (async function* () {
      for await (const piece of content) {
        sum.update(piece);
        size += piece.byteLength;
        yield piece;
      }
    })(),
  );
  return { key, size, sha256: sum.digest("hex") };
}

/** @throws HeadwaterError DATA_LOSS, HW_BACKUP_DAMAGED, at the latest where the content ends */
export async function* readFile(store: BlobStore, file: CheckedFile): AsyncGenerator<Uint8Array> {
  const content = await store.get(file.key);
  if (!content) throw backupDamaged(`${file.key} is missing`);
  yield* checked(content, file);
}

/** @throws HeadwaterError HW_BACKUP_DAMAGED */
export async function checkFile(store: BlobStore, file: CheckedFile): Promise<void> {
  for await (const _ of readFile(store, file));
}

/** Passes content on as long as it is what it should be. @throws HeadwaterError HW_BACKUP_DAMAGED */
export async function* checked(
  content: Bytes,
  { key, size, sha256 }: CheckedFile,
): AsyncGenerator<Uint8Array> {
  const sum = createHash("sha256");
  let bytes = 0;
  for await (const piece of content) {
    sum.update(piece);
    bytes += piece.byteLength;
    yield piece;
  }
  if (bytes !== size) throw backupDamaged(`${key} has ${bytes} bytes and should have ${size}`);
  if (sum.digest("hex") !== sha256) throw backupDamaged(`${key} has another SHA-256 than was noted`);
}
