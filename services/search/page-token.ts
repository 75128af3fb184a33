import { HeadwaterError, invalidArgument, status } from "@headwater/errors";

/** Where a page starts, and in which order of hits. */
export interface PageStart {
  /** Of the first hit, from 0. */
  readonly offset: number;
  /** True: the page before was ordered by the reranker. */
  readonly reranked: boolean;
}

interface Payload extends PageStart {
  readonly hash: string;
  readonly generation: string;
}

/** Opaque to callers; bound to the search that made it. */
export function writePageToken(start: PageStart, hash: string, generation: string): string {
  const payload: Payload = { ...start, hash, generation };
  return Buffer.from(JSON.stringify(payload)).toString("base64url");
}

/**
 * @param hash of the search that the token comes with
 * @throws HeadwaterError INVALID_ARGUMENT for a token of another search; FAILED_PRECONDITION for one of an index that
 *   serves no more
 */
export function readPageToken(token: string, hash: string, generation: string): PageStart {
  const payload = parse(token);
  if (payload?.hash !== hash) {
    throw invalidArgument(
      "HW_PAGE_TOKEN_INVALID",
      "The page token does not belong to this search.",
      "Send it with the same query, filter and options, or ask for the first page.",
    );
  }
  if (payload.generation !== generation) {
    throw new HeadwaterError({
      code: status.FAILED_PRECONDITION,
      reason: "HW_PAGE_TOKEN_EXPIRED",
      message: "The index was made anew since the page before.",
      action: "Ask for the first page again.",
    });
  }
  return { offset: payload.offset, reranked: payload.reranked };
}

function parse(token: string): Payload | undefined {
  try {
    const value = JSON.parse(Buffer.from(token, "base64url").toString()) as Partial<Payload> | null;
    if (typeof value?.hash !== "string" || typeof value.generation !== "string") return undefined;
    if (!Number.isInteger(value.offset) || Number(value.offset) < 1) return undefined;
    return {
      offset: Number(value.offset),
      reranked: value.reranked === true,
      hash: value.hash,
      generation: value.generation,
    };
  } catch (thrown) {
    // Not a token of ours, whatever it is.
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}
