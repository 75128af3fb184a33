import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import type { NewDocument } from "@headwater/client";
import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import { glob } from "tinyglobby";
import type { HeldDocument } from "../librarian/holdings.ts";
import { sourceAttribute } from "../librarian/holdings.ts";
import type { Source, SourceItem } from "../librarian/source.ts";
import { startFolderFollower } from "./folder-follower.ts";
import type { IgnoreRules } from "./ignore-rules.ts";

export interface FolderOptions {
  readonly ignore: IgnoreRules;
  /** Seconds between two looks where the disk does not tell of changes (a network drive); undefined: it does. */
  readonly pollSeconds?: number | undefined;
}

/**
 * A folder as a source. Ids begin with the name of the folder, from wherever it is watched: `notes/plan.md`.
 *
 * @throws HeadwaterError INVALID_ARGUMENT where there is no such folder
 */
export async function openFolder(path: string, options: FolderOptions): Promise<FolderSource> {
  const source = new FolderSource(resolve(path), options);
  await source.check();
  return source;
}

export class FolderSource implements Source {
  readonly name: string;
  readonly idPrefix: string;
  readonly path: string;
  /** Its changes are noticed as they happen; a comparison finds what the system forgot to tell. */
  readonly intervalSeconds = 3600;
  readonly #options: FolderOptions;

  constructor(path: string, options: FolderOptions) {
    this.path = path;
    this.name = pathToFileURL(path).href;
    this.idPrefix = basename(path) === "" ? "" : `${basename(path)}/`;
    this.#options = options;
  }

  /** @throws HeadwaterError INVALID_ARGUMENT: without this a disk that is gone would look like an empty folder */
  async check(): Promise<void> {
    const found = await stat(this.path).catch(() => undefined);
    if (!found) throw this.notThere();
    if (found.isDirectory()) return;
    const action = "Give the folder, or use headwater ingest for single files.";
    throw invalidArgument("HW_FOLDER_NOT_FOUND", `${this.path} is no folder.`, action);
  }

  notThere(): HeadwaterError {
    return invalidArgument("HW_FOLDER_NOT_FOUND", `${this.path} is not there.`, "Check the path.");
  }

  async *list(): AsyncGenerator<SourceItem> {
    await this.check();
    const { ignore } = this.#options;
    const paths = await glob("**/*", { cwd: this.path, onlyFiles: true, ignore: ["**/node_modules/**"] });
    for (const path of paths.sort()) {
      if (!ignore.matches(path)) yield this.itemOf(path);
    }
  }

  follow() {
    return startFolderFollower(this, this.#options);
  }

  async close(): Promise<void> {}

  /** @param path from the folder */
  itemOf(path: string): SourceItem {
    const file = resolve(this.path, path);
    return {
      id: this.idOf(path),
      version: "",
      isSame: (held) => isSameFile(file, held),
      open: () => this.#openFile(file),
    };
  }

  idOf(path: string): string {
    return this.idPrefix + path.split(sep).join("/");
  }

  /** Of an absolute path. */
  relative(file: string): string {
    return relative(this.path, file);
  }

  async #openFile(file: string): Promise<NewDocument | undefined> {
    const found = await statFile(file);
    if (!found?.isFile()) return undefined;
    return {
      id: this.idOf(this.relative(file)),
      content: readFile(file),
      uri: pathToFileURL(file).href,
      observedTime: found.mtime,
      attributes: { [sourceAttribute]: this.name },
    };
  }
}

/** Time and size are enough; a file that was only touched, or copied, is told by its content. */
async function isSameFile(file: string, held: HeldDocument): Promise<boolean> {
  const found = await statFile(file);
  if (found?.size !== held.sizeBytes) return false;
  if (found.mtime.getTime() === held.observedTime?.getTime()) return true;
  const hash = createHash("sha256");
  for await (const bytes of readFile(file)) hash.update(bytes);
  return hash.digest("hex") === held.contentSha256;
}

async function statFile(file: string) {
  try {
    return await stat(file);
  } catch (thrown) {
    if (isGone(thrown)) return undefined;
    throw unreadable(file, thrown);
  }
}

async function* readFile(file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(file, { highWaterMark: 256 * 1024 });
  } catch (thrown) {
    throw unreadable(file, thrown);
  }
}

function isGone(thrown: unknown): boolean {
  return (
    thrown instanceof Error && "code" in thrown && (thrown.code === "ENOENT" || thrown.code === "ENOTDIR")
  );
}

function unreadable(file: string, thrown: unknown): HeadwaterError {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "unknown";
  return new HeadwaterError({
    ...{ code: status.FAILED_PRECONDITION, reason: "HW_FILE_UNREADABLE", cause: thrown },
    message: `${file} cannot be read (${code}).`,
    action: "Check that it is there and that its rights let you read it.",
  });
}
