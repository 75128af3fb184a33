import { randomUUID } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/** Files that this process writes now. */
const inFlight = new Set<string>();

/** A new name in the folder; give it back with `releaseTemporary` when the file is moved away or removed. */
export function reserveTemporary(folder: string): string {
  const path = join(folder, `${process.pid}.${randomUUID()}`);
  inFlight.add(path);
  return path;
}

export function releaseTemporary(path: string): void {
  inFlight.delete(path);
}

/** Removes what processes that are gone left behind. */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const pid = Number.parseInt(name, 10);
    const isOwn = pid === process.pid;
    if (isOwn ? inFlight.has(path) : isAlive(pid)) continue;
    await rm(path, { force: true });
  }
}

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // EPERM: it lives and belongs to another user.
    return thrown instanceof Error && "code" in thrown && thrown.code === "EPERM";
  }
}
