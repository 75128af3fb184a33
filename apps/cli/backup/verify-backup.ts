import type { BlobStore } from "@headwater/blob-store";
import { atOnce } from "./at-once.ts";
import { backupDamaged } from "./backup-errors.ts";
import { checkFile } from "./checked-file.ts";
import type { Manifest } from "./manifest.ts";
import { originalsFolder, readOriginals } from "./originals-list.ts";
import type { Progress } from "./progress.ts";

const readsAtOnce = 8;

/** @throws HeadwaterError HW_BACKUP_DAMAGED where a file of the records, or the list of originals, is not as it was written */
export async function verifyRecords(store: BlobStore, { records, originals }: Manifest): Promise<void> {
  for (const { tables } of records) for (const { file } of tables) await checkFile(store, file);
  await checkFile(store, originals.file);
}

/**
 * @param depth "sums" reads every original, "sizes" only asks whether it is there
 * @throws HeadwaterError HW_BACKUP_DAMAGED
 */
export async function verifyOriginals(
  store: BlobStore,
  { originals }: Manifest,
  depth: "sums" | "sizes",
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<void> {
  const lost = new Set(originals.lost);
  let done = 0;
  await atOnce(readOriginals(store, originals), readsAtOnce, async ({ key: own, size, sha256 }) => {
    signal.throwIfAborted();
    if (lost.has(own)) return;
    const key = originalsFolder + own;
    if (depth === "sums") await checkFile(store, { key, size, sha256 });
    else {
      const found = await store.size(key);
      if (found !== size)
        throw backupDamaged(
          found === undefined ? `${key} is missing` : `${key} has ${found} bytes and should have ${size}`,
        );
    }
    done += 1;
    onProgress({ step: "verify", done, total: originals.count });
  });
}
