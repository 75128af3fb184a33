import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { FilterSchema } from "@headwater/proto/connect/headwater/v1/common";
import type {
  Explanation as ExplanationMessage,
  Hit as HitMessage,
  SearchRequestSchema,
  SearchResponse,
  Stage as StageNumber,
  SearchSummary as SummaryMessage,
} from "@headwater/proto/connect/headwater/v1/search";
import { FusionMethod } from "@headwater/proto/connect/headwater/v1/search";
import type { DocumentMetadata, TextRange } from "./document.ts";
import { toMetadata, toRange } from "./document.ts";
import type { Continuation, ReconnectOptions } from "./reconnect.ts";

export const stages = ["lexical", "vector", "fused", "reranked"] as const;
/** Where hits come from, in the order in which stages can arrive. */
export type Stage = (typeof stages)[number];

export const fusionMethods = ["min_max", "rrf"] as const;
export type FusionMethodName = (typeof fusionMethods)[number];

/** Narrows what is searched. Fields are joined by AND, the values of one field by OR. */
export interface Filter {
  /** By key: values that the attribute may have. */
  attributes?: Readonly<Record<string, readonly string[]>>;
  mediaTypes?: readonly string[];
  documentIds?: readonly string[];
  /** Observed at or after this time. */
  observedFrom?: Date;
  /** Observed before this time. */
  observedBefore?: Date;
}

export interface SearchOptions extends ReconnectOptions {
  /** Hits a page, 1 to 100. Default 10. */
  pageSize?: number;
  /** From the summary before, with the same query and options. */
  pageToken?: string;
  filter?: Filter;
  /** Which stages to send; the last that can run always is. Default: all. */
  stages?: readonly Stage[];
  fusion?: {
    method?: FusionMethodName;
    /** Share of the lexical list, 0 to 1. */
    lexicalWeight?: number;
    /** RRF's k, 1 to 1,000. Default 60. */
    rrfK?: number;
  };
  rerank?: {
    disabled?: boolean;
    /** How many of the fused hits, 1 to 256. */
    depth?: number;
    /** Milliseconds until what is known is returned. */
    budgetMs?: number;
  };
  /** Hits carry `explanation`. */
  explain?: boolean;
  /** Hits carry `highlights`. */
  highlight?: boolean;
  /** At most one passage a document, its best. */
  groupByDocument?: boolean;
}

/** What one list gave to a score. */
export interface ListShare {
  readonly stage: Stage;
  /** Rank in that list from 1; 0: not in it. */
  readonly rank: number;
  /** In the engine's own scale. */
  readonly score: number;
  readonly weight: number;
  /** What it adds to the fused score. */
  readonly share: number;
}

export interface Explanation {
  readonly lists: readonly ListShare[];
  readonly fusedScore: number;
  /** Undefined where the hit was not reranked. */
  readonly rerankScore: number | undefined;
}

/** A passage that was found. */
export interface Hit {
  readonly passageId: string;
  readonly document: DocumentMetadata;
  readonly text: string;
  /** Where the passage stands in the extracted text of the document. */
  readonly range: TextRange;
  /** From 1; 0: the format has no pages. */
  readonly page: number;
  /** Headings above the passage, outermost first. */
  readonly headingPath: readonly string[];
  /** Compare only within one stage of one search. */
  readonly score: number;
  /** From 1, over all pages. */
  readonly rank: number;
  /** Parts of `text` that match the query's words. */
  readonly highlights: readonly TextRange[];
  readonly explanation: Explanation | undefined;
}

/** Something that a search had to do without. */
export interface Degradation {
  readonly stage: Stage;
  readonly reason: string;
  readonly message: string;
}

export interface SearchSummary {
  /** For the next page; empty: this was the last. */
  readonly nextPageToken: string;
  /** By step. */
  readonly milliseconds: Readonly<Record<string, number>>;
  /** The stage whose hits are final. */
  readonly finalStage: Stage;
  readonly degradations: readonly Degradation[];
  /** Candidates that were fused, over all pages. */
  readonly candidates: number;
  readonly queryCached: boolean;
}

/** The page's hits as one stage orders them; a later stage replaces the earlier ones. */
export interface HitsEvent {
  readonly type: "hits";
  readonly stage: Stage;
  readonly hits: readonly Hit[];
  /** Milliseconds from the start of the search. */
  readonly elapsedMs: number;
}

/** The end of a search. */
export interface SummaryEvent extends SearchSummary {
  readonly type: "summary";
}

export type SearchEvent = HitsEvent | SummaryEvent;

export function searchRequest(
  query: string,
  tenant: string,
  options: SearchOptions,
): MessageInitShape<typeof SearchRequestSchema> {
  const { fusion, rerank } = options;
  return {
    tenant,
    query,
    pageSize: options.pageSize ?? 0,
    pageToken: options.pageToken ?? "",
    ...(options.filter ? { filter: filterMessage(options.filter) } : {}),
    stages: (options.stages ?? []).map((stage) => (stages.indexOf(stage) + 1) as StageNumber),
    ...(fusion
      ? {
          fusion: {
            method: fusionMethod(fusion.method),
            rrfK: fusion.rrfK ?? 0,
            ...(fusion.lexicalWeight === undefined ? {} : { lexicalWeight: fusion.lexicalWeight }),
          },
        }
      : {}),
    ...(rerank
      ? {
          rerank: {
            disabled: rerank.disabled ?? false,
            depth: rerank.depth ?? 0,
            budgetMs: rerank.budgetMs ?? 0,
          },
        }
      : {}),
    explain: options.explain ?? false,
    highlight: options.highlight ?? false,
    groupByDocument: options.groupByDocument ?? false,
  };
}

function fusionMethod(name: FusionMethodName | undefined): FusionMethod {
  if (name === "min_max") return FusionMethod.MIN_MAX;
  return name === "rrf" ? FusionMethod.RRF : FusionMethod.UNSPECIFIED;
}

export function filterMessage(filter: Filter): MessageInitShape<typeof FilterSchema> {
  return {
    attributes: Object.entries(filter.attributes ?? {}).map(([key, values]) => ({
      key,
      values: [...values],
    })),
    mediaTypes: [...(filter.mediaTypes ?? [])],
    documentIds: [...(filter.documentIds ?? [])],
    ...(filter.observedFrom ? { observedFrom: timestampFromDate(filter.observedFrom) } : {}),
    ...(filter.observedBefore ? { observedBefore: timestampFromDate(filter.observedBefore) } : {}),
  };
}

/**
 * A later stage replaces the earlier ones, so a search can be made anew: the stages that the reader has are left out, but
 * for the last, which comes again. So the last hits and the summary are always of the same search.
 */
export function continuedSearch(): Continuation<SearchEvent> {
  let last = 0;
  return {
    possible: true,
    isNew(event) {
      if (event.type !== "hits") return true;
      const stage = stages.indexOf(event.stage);
      if (stage < last) return false;
      last = stage;
      return true;
    },
  };
}

/** undefined for a message that a newer server sends and this client does not know. */
export function searchEvent({ event }: SearchResponse): SearchEvent | undefined {
  if (event.case === "hits") {
    const { stage, hits, elapsedMs } = event.value;
    return { type: "hits", stage: toStage(stage), hits: hits.map(toHit), elapsedMs };
  }
  if (event.case === "summary") return { type: "summary", ...toSummary(event.value) };
  return undefined;
}

export function toSummary(message: SummaryMessage | undefined): SearchSummary {
  return {
    nextPageToken: message?.nextPageToken ?? "",
    milliseconds: message?.milliseconds ?? {},
    finalStage: toStage(message?.finalStage ?? 0),
    degradations: (message?.degradations ?? []).map(({ stage, reason, message }) => ({
      stage: toStage(stage),
      reason,
      message,
    })),
    candidates: message?.candidates ?? 0,
    queryCached: message?.queryCached ?? false,
  };
}

export function toHit(message: HitMessage): Hit {
  const { passageId, text, score, rank, location } = message;
  return {
    passageId,
    document: toMetadata(message.document),
    text,
    range: toRange(location?.range),
    page: location?.page ?? 0,
    headingPath: location?.headingPath ?? [],
    score,
    rank,
    highlights: message.highlights.map(toRange),
    explanation: message.explanation && toExplanation(message.explanation),
  };
}

function toExplanation(message: ExplanationMessage): Explanation {
  return {
    lists: message.lists.map(({ stage, rank, score, weight, share }) => ({
      stage: toStage(stage),
      rank,
      score,
      weight,
      share,
    })),
    fusedScore: message.fusedScore,
    rerankScore: message.rerankScore,
  };
}

/** Stages are numbered from 1 in the order of `stages`; an unknown one reads as "fused". */
function toStage(stage: number): Stage {
  return stages[stage - 1] ?? "fused";
}
