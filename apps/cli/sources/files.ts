import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import type { NewDocument } from "@headwater/client";
import { invalidArgument } from "@headwater/errors";
import { glob, isDynamicPattern } from "tinyglobby";
import { isDocumentLine } from "./json-lines.ts";

/**
 * Files that paths, folders and globs name, each once, sorted. Hidden files and `node_modules` are passed over unless
 * they are named themselves.
 *
 * @throws HeadwaterError INVALID_ARGUMENT where a path names nothing
 */
export async function findFiles(paths: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const path of paths) {
    const files = await filesOf(path);
    if (files.length === 0) {
      throw invalidArgument(
        "HW_PATH_NOT_FOUND",
        `${path}: no such file, and no file below it.`,
        "Check the path.",
      );
    }
    for (const file of files) found.add(file);
  }
  return [...found].sort();
}

async function filesOf(path: string): Promise<string[]> {
  const kind = await stat(path).catch(() => undefined);
  if (kind?.isFile()) return [resolve(path)];
  const options = { absolute: true, onlyFiles: true, ignore: ["**/node_modules/**"] };
  if (kind?.isDirectory()) return glob("**/*", { ...options, cwd: path });
  return isDynamicPattern(path) ? glob(path, options) : [];
}

/** A file as a document: the id is its path, from the working folder where it is inside. Read when it is pushed. */
export async function fileDocument(path: string): Promise<NewDocument> {
  const { mtime } = await stat(path);
  return {
    id: documentId(path),
    content: createReadStream(path, { highWaterMark: 256 * 1024 }),
    uri: pathToFileURL(path).href,
    observedTime: mtime,
  };
}

export function documentId(path: string): string {
  const inside = relative(process.cwd(), path);
  const id = inside.startsWith("..") || isAbsolute(inside) ? path : inside;
  return id.split(sep).join("/");
}

/** True for a JSON Lines file whose first line is a document: it is read as a collection. */
export async function isCollection(path: string): Promise<boolean> {
  if (!/\.(jsonl|ndjson)$/i.test(path)) return false;
  const file = await open(path);
  try {
    for await (const line of file.readLines()) return isDocumentLine(line);
    return false;
  } finally {
    await file.close();
  }
}
