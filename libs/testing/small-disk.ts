import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

/** A folder on a disk of its own that is soon full. */
export interface SmallDisk {
  readonly folder: string;
  remove(): Promise<void>;
}

/**
 * Makes a disk (a tmpfs) of a few mebibytes.
 *
 * @returns undefined where this process may not mount (not Linux, not root)
 */
export async function mountSmallDisk(mebibytes: number): Promise<SmallDisk | undefined> {
  if (process.platform !== "linux") return undefined;
  const folder = await mkdtemp(join(tmpdir(), "headwater-disk-"));
  const mounted = run("mount", "-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", folder);
  const remove = async () => {
    // Lazy: a test that failed may have files open.
    if (mounted) run("umount", "--lazy", folder);
    await rm(folder, { recursive: true, force: true });
  };
  if (mounted) return { folder, remove };
  await remove();
  return undefined;
}

/**
 * The folder of such a disk, to test what happens when it is full; gone at the end of the test file or suite that asks
 * for it.
 *
 * @returns undefined where this process may not mount: skip the test
 */
export async function smallDisk(mebibytes: number): Promise<string | undefined> {
  const disk = await mountSmallDisk(mebibytes);
  if (disk) after(() => disk.remove());
  return disk?.folder;
}

function run(command: string, ...parameters: string[]): boolean {
  return spawnSync(command, parameters, { stdio: "ignore" }).status === 0;
}
