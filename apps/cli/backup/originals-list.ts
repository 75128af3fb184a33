import type { BlobStore } from "@headwater/blob-store";
import type { Original } from "@headwater/ingest/backup";
import { backupDamaged } from "./backup-errors.ts";
import type { CheckedFile } from "./checked-file.ts";
import { readFile, writeFile } from "./checked-file.ts";
import { compressLines, readLines } from "./compressed-lines.ts";

/** The originals of a backup. */
export interface OriginalsList {
  readonly file: CheckedFile;
  readonly count: number;
  readonly bytes: number;
}

/** Where the originals of all backups lie, each once. */
export const originalsFolder = "originals/";

export async function writeOriginals(
  store: BlobStore,
  key: string,
  batches: AsyncIterable<readonly Original[]>,
): Promise<OriginalsList> {
  let [count, bytes] = [0, 0];
  const lines = async function* () {
    for await (const batch of batches) {
      count += batch.length;
      for (const { size } of batch) bytes += size;
      yield batch.map((one) => JSON.stringify([one.tenant, one.id, one.key, one.size, one.sha256]));
    }
  };
  const file = await writeFile(store, key, compressLines(lines()));
  return { file, count, bytes };
}

/** In the order of tenant and id. @throws HeadwaterError HW_BACKUP_DAMAGED */
export async function* readOriginals(store: BlobStore, { file }: OriginalsList): AsyncGenerator<Original> {
  for await (const lines of readLines(readFile(store, file))) {
    for (const line of lines) {
      const [tenant, id, key, size, sha256] = parse(line, file.key);
      yield { tenant, id, key, size, sha256 };
    }
  }
}

/** Those of `originals` that are not among `others`, both in their order; nothing of either is kept in memory. */
export async function* without(
  originals: AsyncIterable<Original>,
  others: AsyncGenerator<Original>,
): AsyncGenerator<Original> {
  try {
    let other = await others.next();
    for await (const original of originals) {
      while (!other.done && compare(other.value, original) < 0) other = await others.next();
      const isThere = !other.done && compare(other.value, original) === 0 && other.value.key === original.key;
      if (!isThere) yield original;
    }
  } finally {
    await others.return(undefined);
  }
}

/** By the bytes of their UTF-8, as the database sorts them. */
function compare(a: Original, b: Original): number {
  return (
    Buffer.compare(Buffer.from(a.tenant), Buffer.from(b.tenant)) ||
    Buffer.compare(Buffer.from(a.id), Buffer.from(b.id))
  );
}

type Line = [tenant: string, id: string, key: string, size: number, sha256: string];

function parse(line: string, key: string): Line {
  try {
    return JSON.parse(line) as Line;
  } catch (cause) {
    throw backupDamaged(`${key} holds a line that cannot be read`, cause);
  }
}
