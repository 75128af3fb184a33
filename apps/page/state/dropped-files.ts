import type { NewFile } from "./upload-queue.ts";

/** Files that systems and editors leave in folders, and no reader wants. */
export function isClutter(path: string): boolean {
  return path.split("/").some((part) => /^(\..*|Thumbs\.db|desktop\.ini|node_modules|__MACOSX)$/i.test(part));
}

/** A file of a picker, under its path in the folder that was picked. */
export function pickedFiles(list: FileList): NewFile[] {
  return [...list]
    .map((file) => ({ id: file.webkitRelativePath || file.name, content: file }))
    .filter(({ id }) => !isClutter(id));
}

/**
 * What was dropped: files, and the files below folders, under their paths. The entries have to be taken before the
 * event handler returns; the folders are read after that.
 */
export async function droppedFiles(transfer: DataTransfer): Promise<NewFile[]> {
  const items = [...transfer.items].filter(({ kind }) => kind === "file");
  // What is dragged from another program instead of a folder has no entry.
  const dropped = items.map((item) => item.webkitGetAsEntry() ?? item.getAsFile());
  const found: NewFile[] = [];
  for (const item of dropped) {
    if (item instanceof File) found.push({ id: item.name, content: item });
    else if (item) for await (const file of filesBelow(item)) found.push(file);
  }
  return found;
}

async function* filesBelow(entry: FileSystemEntry): AsyncGenerator<NewFile> {
  const path = entry.fullPath.replace(/^\//, "");
  if (isClutter(path)) return;
  if (isFile(entry)) {
    yield { id: path, content: await new Promise<File>((done, failed) => entry.file(done, failed)) };
  } else if (isFolder(entry)) {
    const reader = entry.createReader();
    for (;;) {
      // A reader gives a hundred at a time, and none at the end.
      const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
      if (some.length === 0) return;
      for (const child of some) yield* filesBelow(child);
    }
  }
}

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;
const isFolder = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory;

/** Pasted text as a file: its title is its first line, its id says when it was pasted. */
export function pastedFile(text: string, title: string, now: Date): NewFile {
  const stamp = now.toISOString().slice(0, 19).replace(/[:T]/g, "-");
  const firstLine =
    text
      .trim()
      .split("\n", 1)[0]
      ?.replace(/^#+\s*/, "")
      .slice(0, 80) ?? "";
  return {
    id: `pasted/${stamp}.txt`,
    title: title.trim() || firstLine,
    mediaType: "text/plain",
    content: new Blob([text], { type: "text/plain" }),
  };
}
