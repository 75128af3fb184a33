import { once } from "node:events";
import { sep } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { HeadwaterError, status } from "@headwater/errors";
import type { FSWatcher } from "chokidar";
import { watch } from "chokidar";
import type { Change, Follower } from "../librarian/source.ts";
import type { FolderOptions, FolderSource } from "./folder.ts";

/** A file counts as written in full when its size has not changed for so long. */
const writtenAfterMs = 1000;
/** A few changes at once are delivered together: an editor that replaces a file, a folder that is moved. */
const gatherMs = 200;

/** Ready when it resolves: no later change is missed. */
export async function startFolderFollower(folder: FolderSource, options: FolderOptions): Promise<Follower> {
  const { pollSeconds, ignore } = options;
  const watcher = watch(folder.path, {
    ignoreInitial: true,
    awaitWriteFinish: { stabilityThreshold: writtenAfterMs, pollInterval: 100 },
    ignored: (file, stats) => {
      const path = folder.relative(file).split(sep).join("/");
      return path !== "" && ignore.matches(stats?.isDirectory() ? `${path}/` : path);
    },
    ...(pollSeconds === undefined ? {} : { usePolling: true, interval: pollSeconds * 1000 }),
  });
  const follower = new FolderFollower(folder, watcher);
  try {
    await once(watcher, "ready");
    return follower;
  } catch (thrown) {
    await watcher.close();
    throw unwatchable(folder.path, thrown);
  }
}

class FolderFollower implements Follower {
  readonly #folder: FolderSource;
  readonly #watcher: FSWatcher;
  readonly #changes = new Map<string, Change>();
  #failure: HeadwaterError | undefined;
  #notify = () => {};

  constructor(folder: FolderSource, watcher: FSWatcher) {
    this.#folder = folder;
    this.#watcher = watcher;
    const put = (file: string) => {
      const { id, open } = folder.itemOf(folder.relative(file));
      this.#note({ kind: "put", id, open });
    };
    watcher.on("add", put);
    watcher.on("change", put);
    watcher.on("unlink", (file) => this.#note({ kind: "delete", id: folder.idOf(folder.relative(file)) }));
    // The folder itself: another that takes its place would not be watched.
    watcher.on("unlinkDir", (path) => {
      if (folder.relative(path) === "") this.#fail(folder.notThere());
    });
    watcher.on("error", (thrown) => this.#fail(unwatchable(folder.path, thrown)));
  }

  async next(timeoutMs: number, signal: AbortSignal): Promise<Change[] | undefined> {
    signal.throwIfAborted();
    if (this.#changes.size === 0 && !this.#failure) await this.#noticed(timeoutMs, signal);
    if (this.#failure) throw this.#failure;
    if (this.#changes.size === 0) return undefined;
    await delay(gatherMs, undefined, { signal });
    // Where the folder itself is gone, so is all that is in it; that is not meant as a deletion.
    await this.#folder.check();
    if (this.#failure) throw this.#failure;
    const changes = [...this.#changes.values()];
    this.#changes.clear();
    return changes;
  }

  async close(): Promise<void> {
    await this.#watcher.close();
  }

  #note(change: Change): void {
    this.#changes.set(change.id, change);
    this.#notify();
  }

  #fail(failure: HeadwaterError): void {
    this.#failure ??= failure;
    this.#notify();
  }

  async #noticed(timeoutMs: number, signal: AbortSignal): Promise<void> {
    const noticed = new AbortController();
    this.#notify = () => noticed.abort();
    const waiting = delay(timeoutMs, undefined, { signal: AbortSignal.any([signal, noticed.signal]) });
    await waiting.catch(() => signal.throwIfAborted());
  }
}

function unwatchable(path: string, thrown: unknown): HeadwaterError {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "unknown";
  return new HeadwaterError({
    ...{ code: status.FAILED_PRECONDITION, reason: "HW_FOLDER_UNWATCHABLE", cause: thrown },
    message: `The system does not tell of changes in ${path} (${code}).`,
    action: "Let it watch more files (on Linux sysctl fs.inotify.max_user_watches), or use --poll.",
  });
}
