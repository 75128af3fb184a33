import { invalidArgument } from "@headwater/errors";

/** Makes a place in a list opaque. It is valid for the same question only. */
export function encodePageToken(question: string, place: string): string {
  return Buffer.from(JSON.stringify([question, place])).toString("base64url");
}

/**
 * @returns undefined for the first page
 * @throws HeadwaterError INVALID_ARGUMENT, HW_PAGE_TOKEN_INVALID
 */
export function decodePageToken(question: string, token: string): string | undefined {
  if (token === "") return undefined;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    if (Array.isArray(parsed) && parsed[0] === question && typeof parsed[1] === "string") return parsed[1];
  } catch {
    // Told below, like a token of another question.
  }
  throw invalidArgument(
    "HW_PAGE_TOKEN_INVALID",
    "The page token does not belong to this list.",
    "Ask for the first page again, without a token.",
  );
}

/** @throws HeadwaterError INVALID_ARGUMENT, HW_PAGE_SIZE_INVALID */
export function checkPageSize(size: number): number {
  if (size === 0) return 100;
  if (size <= 1000) return size;
  throw invalidArgument("HW_PAGE_SIZE_INVALID", "The page size must be 1 to 1,000.");
}
