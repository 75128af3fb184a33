import { HeadwaterError, status } from "@headwater/errors";
import type { AnswerRequest } from "@headwater/proto/services/headwater/v1/generation";
import type {
  Hit,
  SearchServiceDefinition,
  SearchSummary,
} from "@headwater/proto/services/headwater/v1/search";
import { Stage } from "@headwater/proto/services/headwater/v1/search";
import type { RpcClient } from "@headwater/rpc";

/** What a search found for an answer. */
export interface FoundPassages {
  /** Best first, none within another. */
  readonly hits: readonly Hit[];
  readonly summary: SearchSummary | undefined;
}

/** Shared part of the shorter of two passages of one document beyond which the worse one tells nothing new. */
const repeatedShare = 0.8;

/** Searches with rerank and takes the hits of the last stage. */
export async function findPassages(
  search: RpcClient<SearchServiceDefinition>,
  request: Pick<AnswerRequest, "tenant" | "question" | "filter" | "maxPassages">,
  signal: AbortSignal,
): Promise<FoundPassages> {
  let hits: readonly Hit[] = [];
  let summary: SearchSummary | undefined;
  const { tenant, question, filter, maxPassages } = request;
  try {
    const stream = search.call.search(
      {
        tenant,
        query: question,
        pageSize: maxPassages,
        stages: [Stage.RERANKED],
        ...(filter ? { filter } : {}),
      },
      { signal },
    );
    for await (const { event } of stream) {
      if (event?.$case === "hits") hits = event.value.hits;
      if (event?.$case === "summary") summary = event.value;
    }
  } catch (thrown) {
    signal.throwIfAborted();
    throw searchError(thrown);
  }
  return { hits: withoutRepeats(hits), summary };
}

/** Passages overlap; one that lies almost whole within a better one would only take its room. */
function withoutRepeats(hits: readonly Hit[]): Hit[] {
  const kept: Hit[] = [];
  for (const hit of hits) if (!kept.some((better) => repeats(better, hit))) kept.push(hit);
  return kept;
}

function repeats(a: Hit, b: Hit): boolean {
  if (a.document?.id !== b.document?.id || a.document?.version !== b.document?.version) return false;
  const [one, other] = [a.location?.range, b.location?.range];
  if (!one || !other) return a.passageId === b.passageId;
  const shared = Math.min(one.end, other.end) - Math.max(one.start, other.start);
  return shared >= repeatedShare * Math.min(one.end - one.start, other.end - other.start);
}

function searchError(thrown: unknown): HeadwaterError {
  const error = HeadwaterError.from(thrown);
  if (error.reason !== "HW_SERVICE_UNAVAILABLE") return error;
  return new HeadwaterError({
    code: status.UNAVAILABLE,
    reason: "HW_SEARCH_UNAVAILABLE",
    message: "The search service cannot be reached.",
    action:
      "Check that it runs and that HEADWATER_SEARCH_ADDRESS is right; answers come again by themselves.",
    cause: error,
  });
}
