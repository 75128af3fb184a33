import { open, readdir } from "node:fs/promises";
import { join } from "node:path";

/** Files that wait for the disk at once; libuv has four threads by default. */
const parallel = 16;

/** Makes all files and names below a folder durable, the folder itself included. */
export async function syncTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = [folder, ...entries.map((entry) => join(entry.parentPath, entry.name))];
  for (let at = 0; at < paths.length; at += parallel) {
    await Promise.all(paths.slice(at, at + parallel).map(syncPath));
  }
}

export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
