import { HeadwaterError, status } from "@headwater/errors";
import type { FetchedResponse } from "@headwater/safe-fetch";
import type { Directives } from "./html-page.ts";
import { either, readDirectives, readHtmlPage } from "./html-page.ts";

/** Types that ingest reads, beside all text. */
const readable: ReadonlySet<string> = new Set([
  "application/json",
  "application/ld+json",
  "application/octet-stream",
  "application/pdf",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  "application/xhtml+xml",
  "application/xml",
  "application/yaml",
]);
const htmlTypes: ReadonlySet<string> = new Set(["text/html", "application/xhtml+xml"]);

/** A page as it was fetched. */
export interface WebPage {
  /** Where it is: where it says that it is, if that is on the same host, or where it was fetched. */
  readonly id: string;
  readonly mediaType: string;
  readonly links: readonly URL[];
  readonly directives: Directives;
}

/** @throws HeadwaterError where it is of a type that ingest does not read */
export function readWebPage({ url: fetchedFrom, headers, body }: FetchedResponse): WebPage {
  const url = new URL(fetchedFrom);
  const mediaType = headers.get("content-type") ?? "";
  const [essence = ""] = mediaType
    .toLowerCase()
    .split(";")
    .map((part) => part.trim());
  const directives = readDirectives(headers.get("x-robots-tag") ?? "");
  if (essence.startsWith("image/") && essence !== "image/svg+xml") throw imagePage(essence);
  if (essence !== "" && !essence.startsWith("text/") && !readable.has(essence)) throw unreadablePage(essence);
  if (!htmlTypes.has(essence)) return { id: url.href, mediaType, links: [], directives };
  const page = readHtmlPage(decode(body, mediaType), url);
  const all = either(directives, page.directives);
  return {
    id: canonicalOf(url, page.canonical).href,
    mediaType,
    links: all.nofollow ? [] : page.links,
    directives: all,
  };
}

/** Another host's address is not believed: a page could take the place of a document that is not its own. */
function canonicalOf(url: URL, canonical: URL | undefined): URL {
  if (canonical === undefined || canonical.origin !== url.origin) return url;
  canonical.hash = "";
  return canonical;
}

/** Addresses and directives are ASCII, so that a charset that only the page itself declares does not matter. */
function decode(body: Uint8Array, mediaType: string): string {
  const charset = /charset\s*=\s*"?([\w.:-]+)/i.exec(mediaType)?.[1] ?? "utf-8";
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    return new TextDecoder().decode(body);
  }
}

function imagePage(mediaType: string): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.INVALID_ARGUMENT, reason: "HW_DOCUMENT_IMAGE" },
    message: `It is an image (${mediaType}): its text would have to be recognised, and Headwater has no OCR.`,
  });
}

function unreadablePage(mediaType: string): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.INVALID_ARGUMENT, reason: "HW_MEDIA_TYPE_UNSUPPORTED" },
    message: `Documents of type ${mediaType} cannot be read.`,
  });
}
