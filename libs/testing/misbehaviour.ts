import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import type { AnswerRequest } from "@headwater/proto/services/headwater/v1/generation";
import type { SearchRequest } from "@headwater/proto/services/headwater/v1/search";
import type { DoubleContext as Context } from "./double-call.ts";

/** What the doubles observed. */
export interface Seen {
  /** Streams whose caller left before the end. */
  cancelled: number;
  /** Messages that the endless streams have produced. */
  produced: number;
  /** Bytes of document content that were pushed. */
  pushedBytes: number;
  /** Metadata of the newest call, by header. */
  metadata: ReadonlyMap<string, string>;
  /** Tenant of the newest call. */
  tenant: string;
  /** Owner of the newest call that has one. */
  owner: string;
  /** The newest search. */
  searchRequest: SearchRequest | undefined;
  /** The newest question. */
  answerRequest: AnswerRequest | undefined;
  /** Milliseconds that the ingest double takes for each message of a push. */
  pushPaceMs: number;
  /** Milliseconds for which the ingest double waits, at the end of a push, to hear that it was cancelled. */
  pushEndMs: number;
  /** While set, services say that they are not ready. */
  notReady: HeadwaterError | undefined;
}

export function note(seen: Seen, tenant: string, context: Context): void {
  seen.tenant = tenant;
  seen.metadata = new Map([...context.metadata].map(([key, values]) => [key, String(values[0])]));
}

export async function misbehave(seen: Seen, word: string, context: Context): Promise<void> {
  if (word === "bad") throw invalidArgument("HW_QUERY_EMPTY", "The query is empty.", "Send words.");
  if (word === "bug") throw new TypeError("secret of the house");
  if (word === "busy") {
    throw new HeadwaterError({
      code: status.RESOURCE_EXHAUSTED,
      reason: "HW_OVERLOADED",
      message: "Too much to do.",
      action: "Try again later.",
      retryAfterMs: 1250,
    });
  }
  if (word === "hang") await abortion(seen, context);
}

/** Rejects when the caller leaves. */
export function abortion(seen: Seen, context: Context): Promise<never> {
  return new Promise((_, reject) => {
    const leave = () => {
      seen.cancelled += 1;
      reject(context.signal.reason);
    };
    if (context.signal.aborted) leave();
    else context.signal.addEventListener("abort", leave, { once: true });
  });
}

/** Numbers without end; "endless" makes one each 20 ms, "flood" as many as are read. */
export async function* endless(seen: Seen, word: string, context: Context): AsyncGenerator<number> {
  context.abortOnTerminate();
  try {
    for (let index = 0; ; index += 1) {
      if (word === "endless") await new Promise((resolve) => setTimeout(resolve, 20));
      context.signal.throwIfAborted();
      seen.produced += 1;
      yield index;
    }
  } finally {
    seen.cancelled += 1;
  }
}

export const broken = {
  code: status.UNAVAILABLE,
  reason: "HW_INDEX_DOWN" as const,
  message: "The index is down.",
  action: "Try again.",
};
