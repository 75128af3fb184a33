import { hash } from "node:crypto";

/** Bytes of a file name that every file system takes; ext4, APFS and NTFS allow 255. */
const maxNameLength = 200;

/** Suffix of the file that holds a key too long for a file name; "~" is in no encoded key. */
export const keyFileSuffix = "~key";

/** The folders that blobs lie in: 100,000 blobs are some 400 in each, and listing all of them reads 256 folders. */
export const fanOut: readonly string[] = Array.from({ length: 256 }, (_, i) =>
  i.toString(16).padStart(2, "0"),
);

/** Where a blob lies below the store's folder. */
export interface BlobPath {
  /** One of `fanOut`. */
  readonly folder: string;
  /** The encoded key, or a hash where that is too long. */
  readonly file: string;
  /** Holds the key where `file` is a hash. */
  readonly keyFile: string | undefined;
}

export function blobPath(key: string): BlobPath {
  const digest = hash("sha256", key);
  const folder = digest.slice(0, 2);
  const name = encodeName(key);
  if (name.length <= maxNameLength) return { folder, file: name, keyFile: undefined };
  return { folder, file: `~${digest}`, keyFile: `~${digest}${keyFileSuffix}` };
}

/**
 * A key as a file name. Lower case letters, digits, "_", "-" and "." stay; any other byte of its UTF-8, and a "." at
 * the start, becomes "%" and two hex digits. Upper case too, since case-insensitive file systems take "A" for "a".
 */
export function encodeName(key: string): string {
  return Buffer.from(key, "utf8")
    .toString("latin1")
    .replace(/^\.|[^a-z0-9_.-]/g, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** The way back; undefined for the name of a hash. */
export function decodeName(name: string): string | undefined {
  if (name.startsWith("~")) return undefined;
  const bytes = name.replace(/%([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, "latin1").toString("utf8");
}
