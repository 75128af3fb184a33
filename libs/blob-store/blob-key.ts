import { HeadwaterError, invalidArgument, status } from "@headwater/errors";

/** Bytes of the longest key; S3 has the same bound. */
const maxKeyBytes = 1_024;

/** @throws HeadwaterError HW_BLOB_KEY_INVALID */
export function checkKey(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes > 0 && bytes <= maxKeyBytes && key.isWellFormed()) return;
  throw invalidArgument(
    "HW_BLOB_KEY_INVALID",
    `The key of a blob must be well-formed Unicode of 1 to ${maxKeyBytes} bytes.`,
  );
}

/** @returns what is thrown by an answer to `get` that was first read when the blob was there no more */
export function blobGone(cause: unknown): HeadwaterError {
  return new HeadwaterError({
    code: status.NOT_FOUND,
    reason: "HW_BLOB_GONE",
    message: "The blob was deleted before it was read.",
    cause,
  });
}
