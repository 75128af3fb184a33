import type { BlobStore } from "@headwater/blob-store";
import type { Original } from "@headwater/ingest/backup";
import { atOnce } from "./at-once.ts";
import type { Manifest } from "./manifest.ts";
import { folderOf, isRetired, listBackups, readManifest, readRetired, retire } from "./manifest.ts";
import { originalsFolder, readOriginals, without } from "./originals-list.ts";

export interface Removed {
  readonly backups: readonly string[];
  readonly originals: number;
}

const deletionsAtOnce = 16;

/**
 * Removes all but the newest backups, and what is left of unfinished ones, with the originals that none of the others
 * needs. Where it is interrupted, the next one goes on.
 *
 * @param keep how many stay
 */
export async function removeOldBackups(
  store: BlobStore,
  keep: number,
  destination: string,
): Promise<Removed> {
  const { finished, unfinished } = await listBackups(store);
  const old = finished.slice(0, -keep);
  const kept = await Promise.all(finished.slice(-keep).map((name) => readManifest(store, name, destination)));
  for (const name of old) await retire(store, await readManifest(store, name, destination));
  let originals = 0;
  for (const name of [...unfinished, ...old]) {
    const manifest = await readRetired(store, name);
    const needless = manifest ? neededByNone(store, manifest, kept) : none();
    await atOnce(needless, deletionsAtOnce, async ({ key }) => {
      await store.delete(originalsFolder + key);
      originals += 1;
    });
    await removeFiles(store, name);
  }
  return { backups: old, originals };
}

async function* none(): AsyncGenerator<Original> {}

function neededByNone(
  store: BlobStore,
  { originals }: Manifest,
  kept: readonly Manifest[],
): AsyncIterable<Original> {
  let left: AsyncIterable<Original> = readOriginals(store, originals);
  for (const other of kept) left = without(left, readOriginals(store, other.originals));
  return left;
}

/** Its manifest, if it ever had one, goes last: without it nobody would know which originals it needed. */
async function removeFiles(store: BlobStore, name: string): Promise<void> {
  const keys = await Array.fromAsync(store.list(folderOf(name)));
  for (const key of keys.sort((a, b) => Number(isRetired(a)) - Number(isRetired(b)))) await store.delete(key);
}
