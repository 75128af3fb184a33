import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";

/** Makes new and removed names in folders durable. Folders stay open: opening one costs as much as half a sync. */
export class SyncedFolders {
  readonly #handles = new Map<string, Promise<FileHandle>>();

  async sync(path: string): Promise<void> {
    // Windows has no such thing: it keeps names in its journal.
    if (process.platform === "win32") return;
    let handle = this.#handles.get(path);
    if (!handle) {
      handle = open(path, "r");
      this.#handles.set(path, handle);
      handle.catch(() => this.#handles.delete(path));
    }
    await (await handle).sync();
  }

  async close(): Promise<void> {
    const handles = await Promise.allSettled(this.#handles.values());
    this.#handles.clear();
    for (const handle of handles) if (handle.status === "fulfilled") await handle.value.close();
  }
}
