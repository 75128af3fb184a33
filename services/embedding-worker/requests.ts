import { invalidArgument } from "@headwater/errors";
import type {
  EmbedQueryRequest,
  EmbedRequest,
  RerankRequest,
} from "@headwater/proto/services/headwater/v1/embedding";

/** Of one EmbedRequest. */
const mostTexts = 512;

/** Of one RerankRequest. */
const mostPassages = 256;

/** @throws HeadwaterError INVALID_ARGUMENT: HW_TEXTS_NONE, HW_TEXTS_TOO_MANY, HW_TEXT_EMPTY */
export function checkEmbedRequest({ texts, sequence }: EmbedRequest): void {
  checkCount(texts.length, mostTexts, "texts");
  // The vector of nothing would be near to anything, so it is refused rather than indexed.
  const empty = texts.findIndex(isBlank);
  if (empty !== -1) {
    throw invalidArgument(
      "HW_TEXT_EMPTY",
      `Text ${empty} of request ${sequence} is empty.`,
      "Leave out texts that hold nothing but blanks.",
    );
  }
}

/** @throws HeadwaterError INVALID_ARGUMENT, HW_TEXT_EMPTY */
export function checkEmbedQueryRequest({ text }: EmbedQueryRequest): void {
  checkQuery(text);
}

/**
 * Passages may be empty: they get a score like any other.
 *
 * @throws HeadwaterError as `checkEmbedRequest`, and HW_SOURCES_COUNT
 */
export function checkRerankRequest({ query, passages, sources }: RerankRequest): void {
  checkQuery(query);
  checkCount(passages.length, mostPassages, "passages");
  if (sources.length > 0 && sources.length !== passages.length) {
    throw invalidArgument(
      "HW_SOURCES_COUNT",
      `The request has ${sources.length} sources for ${passages.length} passages.`,
      "Send one source for each passage, or none.",
    );
  }
}

function checkQuery(query: string): void {
  if (isBlank(query))
    throw invalidArgument("HW_TEXT_EMPTY", "The query is empty.", "Send a query with words in it.");
}

function checkCount(count: number, most: number, what: string): void {
  if (count === 0)
    throw invalidArgument("HW_TEXTS_NONE", `The request has no ${what}.`, `Send 1 to ${most} ${what}.`);
  if (count > most) {
    throw invalidArgument(
      "HW_TEXTS_TOO_MANY",
      `The request has ${count} ${what}, ${most} are allowed.`,
      `Send them in several requests of 1 to ${most} ${what}.`,
    );
  }
}

function isBlank(text: string): boolean {
  return !/[^\s\0]/.test(text);
}
