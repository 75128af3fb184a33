import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

/**
 * A folder on a disk of its own that is soon full (a tmpfs), to test what happens then; gone at the end of the test
 * file or suite that asks for it.
 *
 * @returns undefined where this process may not mount (not Linux, not root): skip the test
 */
export async function smallDisk(mebibytes: number): Promise<string | undefined> {
  if (process.platform !== "linux") return undefined;
  const folder = await mkdtemp(join(tmpdir(), "headwater-disk-"));
  const mounted = run("mount", "-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", folder);
  after(async () => {
    // Lazy: a test that failed may have files open.
    if (mounted) run("umount", "--lazy", folder);
    await rm(folder, { recursive: true, force: true });
  });
  return mounted ? folder : undefined;
}

function run(command: string, ...parameters: string[]): boolean {
  return spawnSync(command, parameters, { stdio: "ignore" }).status === 0;
}
