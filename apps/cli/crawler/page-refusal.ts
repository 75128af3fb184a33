import { HeadwaterError, status } from "@headwater/errors";
import type { FetchedResponse } from "@headwater/safe-fetch";

/** What an answer that is not 200 means for a page that is to be indexed. */
export function refusalOf({ status: answered }: FetchedResponse, host: string): HeadwaterError {
  if (answered === 404 || answered === 410) {
    return new HeadwaterError({
      ...{ code: status.NOT_FOUND, reason: "HW_PAGE_NOT_FOUND" },
      message: `${host} has no such page.`,
    });
  }
  const busy = answered === 429 || answered >= 500;
  return new HeadwaterError({
    code: busy ? status.UNAVAILABLE : status.PERMISSION_DENIED,
    reason: busy ? "HW_PAGE_UNAVAILABLE" : "HW_PAGE_REFUSED",
    message: `${host} answered with HTTP status ${answered}.`,
  });
}

/** Seconds, or a date. @returns undefined where the answer does not say */
export function retryAfterMs({ headers }: FetchedResponse): number | undefined {
  const text = headers.get("retry-after")?.trim();
  if (!text) return undefined;
  if (/^\d{1,9}$/.test(text)) return 1000 * Number(text);
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : Math.max(0, time - Date.now());
}
