import { buffer } from "node:stream/consumers";
import type { Entry, ZipFile } from "yauzl";
import { fromBufferPromise } from "yauzl";
import { corruptDocument, documentBomb, encryptedDocument } from "./parse-errors.ts";

/** A Word document has some dozens of parts, and one for each picture. */
const maxEntries = 10_000;
/** XML seldom packs to less than a fiftieth; deflate can pack zeros to a thousandth. */
const maxRatio = 200;
/** Below this size a high ratio does no harm. */
const ratioFreeBytes = 8 * 1024 * 1024;
/** Of a local file header without its name and extra field (APPNOTE.TXT 4.3.7). */
const localHeaderBytes = 30;

export interface UnpackOptions {
  /** For messages, such as "DOCX". */
  readonly format: string;
  /** All entries together. */
  readonly maxUnpackedBytes: number;
  /** Which entries to unpack. */
  readonly wanted: (name: string) => boolean;
}

/**
 * Unpacks entries of a zip archive. The central directory is judged first, and an archive that would unpack to too
 * much is refused before anything is unpacked; each entry is then held to the size that the directory states.
 *
 * @returns bytes by name
 * @throws HeadwaterError HW_DOCUMENT_BOMB, HW_DOCUMENT_ENCRYPTED or HW_DOCUMENT_CORRUPT
 */
export async function unpackZip(
  content: Uint8Array,
  { format, maxUnpackedBytes, wanted }: UnpackOptions,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const zip = await open(content, format);
  try {
    const entries = await readDirectory(zip, format);
    checkEntries(entries, format, maxUnpackedBytes);
    const unpacked = new Map<string, Uint8Array>();
    for (const entry of entries) {
      if (wanted(entry.fileName)) unpacked.set(entry.fileName, await unpackEntry(zip, entry, format));
    }
    return unpacked;
  } finally {
    zip.close();
  }
}

async function open(content: Uint8Array, format: string): Promise<ZipFile> {
  try {
    return await fromBufferPromise(Buffer.from(content.buffer, content.byteOffset, content.length), {
      lazyEntries: true,
      autoClose: false,
      validateEntrySizes: true,
    });
  } catch (cause) {
    throw corruptDocument(format, "its archive has no readable directory", cause);
  }
}

async function readDirectory(zip: ZipFile, format: string): Promise<Entry[]> {
  if (zip.entryCount > maxEntries) throw documentBomb(`its archive has more than ${maxEntries} entries`);
  try {
    return await Array.fromAsync(zip.eachEntry());
  } catch (cause) {
    throw corruptDocument(format, "its archive's directory is damaged", cause);
  }
}

function checkEntries(entries: readonly Entry[], format: string, maxUnpackedBytes: number): void {
  let unpackedBytes = 0;
  for (const { fileName, compressedSize, uncompressedSize } of entries) {
    unpackedBytes += uncompressedSize;
    if (unpackedBytes > maxUnpackedBytes)
      throw documentBomb(`it would unpack to more than ${maxUnpackedBytes} bytes`);
    if (uncompressedSize > ratioFreeBytes && uncompressedSize > compressedSize * maxRatio) {
      throw documentBomb(`a part of it is packed to less than a ${maxRatio}th`);
    }
    if (/\.(?:zip|docx|jar)$/i.test(fileName)) throw documentBomb("its archive holds another archive");
  }
  if (entries.some((entry) => entry.isEncrypted())) throw encryptedDocument(format);
  // Entries that share their bytes unpack to more than the directory's sizes suggest (D. Fifield, A better zip bomb).
  const inOrder = entries.toSorted(
    (left, right) => left.relativeOffsetOfLocalHeader - right.relativeOffsetOfLocalHeader,
  );
  let end = 0;
  for (const { relativeOffsetOfLocalHeader, compressedSize } of inOrder) {
    if (relativeOffsetOfLocalHeader < end) throw documentBomb("entries of its archive overlap");
    end = relativeOffsetOfLocalHeader + localHeaderBytes + compressedSize;
  }
}

async function unpackEntry(zip: ZipFile, entry: Entry, format: string): Promise<Uint8Array> {
  try {
    return await buffer(await zip.openReadStreamPromise(entry));
  } catch (cause) {
    throw corruptDocument(format, "a part of its archive cannot be unpacked", cause);
  }
}
