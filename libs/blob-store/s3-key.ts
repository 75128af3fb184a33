import { hash } from "node:crypto";

/** Bytes of a key in S3. */
const maxKeyBytes = 1_024;

/** Keys that are too long once they are escaped lie here, under their hash; "~" is in no escaped key. */
export const longKeysFolder = "~long/";

/** Where a blob lies below the store's prefix. */
export interface S3Key {
  readonly name: string;
  /** Holds the key where `name` is a hash: metadata of the object, in characters that every header takes. */
  readonly keyInMetadata: string | undefined;
}

/** @param prefixBytes bytes of what comes before every name */
export function s3Key(key: string, prefixBytes: number): S3Key {
  const name = escapeKey(key).replace(/\/$/, "!2f");
  if (prefixBytes + name.length <= maxKeyBytes) return { name, keyInMetadata: undefined };
  return {
    name: longKeysFolder + hash("sha256", key),
    keyInMetadata: Buffer.from(key, "utf8").toString("base64url"),
  };
}

/**
 * What the names of all keys with this prefix begin with, those of other keys too: an escape of the last "/" depends on
 * what comes after it.
 */
export function namePrefix(prefix: string): string {
  return escapeKey(prefix).replace(/\/$/, "");
}

/**
 * Letters, digits, "_" and "-" stay, and a "/" between two parts; any other byte of the key's UTF-8 becomes "!" and two
 * hex digits. So no name has "." or ".." as a part, an empty part, or a character that somebody's XML, proxy or file
 * system would not give back.
 */
function escapeKey(key: string): string {
  return Buffer.from(key, "utf8")
    .toString("latin1")
    .replace(
      /[^A-Za-z0-9_/-]|(?<=^|\/)\//g,
      (byte) => `!${byte.charCodeAt(0).toString(16).padStart(2, "0")}`,
    );
}

/** The way back; undefined for a name that this store did not give. */
export function keyOfName(name: string): string | undefined {
  if (!/^([A-Za-z0-9_/-]|![0-9a-f]{2})+$/.test(name)) return undefined;
  const bytes = name.replace(/!([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** The key of a blob under a hash. */
export function keyFromMetadata(encoded: string): string {
  return Buffer.from(encoded, "base64url").toString("utf8");
}
