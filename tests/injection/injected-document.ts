import { readFileSync } from "node:fs";
import { glob } from "node:fs/promises";
import { basename, dirname } from "node:path";

/** A document that tries to give orders. */
export interface InjectedDocument {
  /** What it tries: the folder that it lies in. */
  readonly kind: string;
  readonly name: string;
  readonly title: string;
  readonly text: string;
}

const folder = new URL("./documents/", import.meta.url);

/** All of them, by kind. A first line "Title: …" is the document's title. */
export async function readInjectedDocuments(): Promise<ReadonlyMap<string, readonly InjectedDocument[]>> {
  const paths = await Array.fromAsync(glob("*/*.txt", { cwd: folder }));
  const documents = paths.sort().map((path): InjectedDocument => {
    const content = readFileSync(new URL(path, folder), "utf8");
    const [, title = "On pumps", text = content] = /^Title: (.*)\n([\s\S]*)$/.exec(content) ?? [];
    return { kind: dirname(path), name: basename(path, ".txt"), title, text };
  });
  return Map.groupBy(documents, ({ kind }) => kind);
}
