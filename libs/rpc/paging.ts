import type { HeadwaterError } from "@headwater/errors";
import { invalidArgument } from "@headwater/errors";
import { isUuid } from "./request-checks.ts";

/** Items on a page. */
export interface PageSizes {
  /** Where a request says 0. */
  readonly usual: number;
  readonly most: number;
}

/** @throws HeadwaterError INVALID_ARGUMENT, HW_PAGE_SIZE_INVALID */
export function checkPageSize(size: number, { usual, most }: PageSizes = { usual: 50, most: 200 }): number {
  if (size === 0) return usual;
  if (size <= most) return size;
  throw invalidArgument(
    "HW_PAGE_SIZE_INVALID",
    `The page size must be 1 to ${most.toLocaleString("en-US")}.`,
  );
}

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
  throw foreignToken();
}

/** A place in a list that goes by time; the id orders what has the same millisecond. */
export interface TimePlace {
  readonly time: Date;
  /** UUID. */
  readonly id: string;
}

/** @returns what `toPage` takes for the place of a row */
export function timePlaceOf({ time, id }: { time: Date | undefined; id: string }): string {
  return `${time?.getTime() ?? 0}/${id}`;
}

/**
 * @returns undefined for the first page
 * @throws HeadwaterError INVALID_ARGUMENT, HW_PAGE_TOKEN_INVALID
 */
export function decodeTimePlace(question: string, token: string): TimePlace | undefined {
  const place = decodePageToken(question, token);
  if (place === undefined) return undefined;
  const [milliseconds = "", id = ""] = place.split("/");
  const time = new Date(Number(milliseconds));
  if (milliseconds === "" || Number.isNaN(time.getTime()) || !isUuid(id)) throw foreignToken();
  return { time, id };
}

function foreignToken(): HeadwaterError {
  return invalidArgument(
    "HW_PAGE_TOKEN_INVALID",
    "The page token does not belong to this list.",
    "Ask for the first page again, without a token.",
  );
}

/**
 * Cuts a page from rows of which one more than a page was asked for.
 *
 * @param placeOf what `decodePageToken` gives for the next page
 */
export function toPage<Row>(
  rows: readonly Row[],
  size: number,
  question: string,
  placeOf: (last: Row) => string,
): { page: Row[]; nextPageToken: string } {
  const page = rows.slice(0, size);
  const last = page.at(-1);
  const more = rows.length > size && last !== undefined;
  return { page, nextPageToken: more ? encodePageToken(question, placeOf(last)) : "" };
}
