import { createHash } from "node:crypto";
import { invalidArgument } from "@headwater/errors";
import type { PassageFilter } from "@headwater/passage-index";
import type { Filter } from "@headwater/proto/services/headwater/v1/common";
import type { SearchRequest } from "@headwater/proto/services/headwater/v1/search";
import { FusionMethod, Stage } from "@headwater/proto/services/headwater/v1/search";
import { checkTenant } from "@headwater/rpc";
import type { SearchDefaults } from "./config.ts";
import type { Fusion } from "./fusion.ts";

const defaultPageSize = 10;
const maxPageSize = 100;
const maxQueryLength = 8192;
const defaultRrfK = 60;
const allStages = [Stage.LEXICAL, Stage.VECTOR, Stage.FUSED, Stage.RERANKED] as const;

/** A request that was checked, with the defaults in place of what it left open. */
export interface SearchPlan {
  readonly tenant: string;
  readonly query: string;
  readonly filter: PassageFilter;
  readonly pageSize: number;
  readonly pageToken: string;
  /** Stages to send; the last one of a search is sent besides. */
  readonly stages: ReadonlySet<Stage>;
  readonly fusion: Fusion;
  /** Of the first hits in the query vector; see `refine`. */
  readonly feedbackWeight: number;
  /** Passages from each list. */
  readonly candidates: number;
  readonly rerank: { readonly depth: number; readonly budgetMs: number } | undefined;
  /** Left out under pressure, though it was asked for. */
  readonly shed: ReadonlySet<Stage>;
  readonly explain: boolean;
  readonly highlight: boolean;
  readonly groupByDocument: boolean;
  /** Of everything that decides the order of the hits. */
  readonly hash: string;
}

/** @throws HeadwaterError INVALID_ARGUMENT */
export function planSearch(request: SearchRequest, defaults: SearchDefaults): SearchPlan {
  const tenant = checkTenant(request.tenant);
  const query = readQuery(request.query);
  const filter = readFilter(tenant, request.filter);
  const fusion = readFusion(request, defaults);
  const rerank = readRerank(request, defaults);
  const { groupByDocument } = request;
  const deciding = [tenant, query, filter, fusion, rerank?.depth ?? 0, groupByDocument, defaults.candidates];
  return {
    tenant,
    query,
    filter,
    pageSize: readPageSize(request.pageSize),
    pageToken: request.pageToken,
    stages: readStages(request.stages),
    fusion,
    feedbackWeight: defaults.feedbackWeight,
    candidates: defaults.candidates,
    rerank,
    shed: new Set(),
    explain: request.explain,
    highlight: request.highlight,
    groupByDocument,
    hash: createHash("sha256").update(JSON.stringify(deciding)).digest("base64url").slice(0, 22),
  };
}

function readQuery(query: string): string {
  if (query.trim() === "")
    throw invalidArgument("HW_QUERY_EMPTY", "The query is empty.", "Send at least one word.");
  if (query.length > maxQueryLength) {
    throw invalidArgument(
      "HW_QUERY_TOO_LONG",
      `The query has ${query.length} code units, ${maxQueryLength} are allowed.`,
      "Send a shorter query.",
    );
  }
  return query;
}

function readPageSize(pageSize: number): number {
  if (pageSize > maxPageSize)
    throw invalidArgument("HW_PAGE_SIZE_INVALID", `A page has 1 to ${maxPageSize} hits, not ${pageSize}.`);
  return pageSize === 0 ? defaultPageSize : pageSize;
}

function readStages(stages: readonly Stage[]): ReadonlySet<Stage> {
  for (const stage of stages) {
    if (!allStages.some((known) => known === stage))
      throw invalidArgument("HW_STAGE_INVALID", `There is no stage ${stage} to ask for.`);
  }
  return new Set(stages.length === 0 ? allStages : stages);
}

function readFusion(request: SearchRequest, defaults: SearchDefaults): Fusion {
  const { method = FusionMethod.UNSPECIFIED, lexicalWeight, rrfK = 0 } = request.fusion ?? {};
  if (lexicalWeight !== undefined && !(lexicalWeight >= 0 && lexicalWeight <= 1))
    throw invalidArgument("HW_LEXICAL_WEIGHT_INVALID", "The lexical weight is a number from 0 to 1.");
  if (rrfK > 1000) throw invalidArgument("HW_RRF_K_INVALID", `RRF's k is 1 to 1,000, not ${rrfK}.`);
  return {
    method: readMethod(method, defaults),
    lexicalWeight: lexicalWeight ?? defaults.lexicalWeight,
    rrfK: rrfK === 0 ? defaultRrfK : rrfK,
  };
}

function readMethod(method: FusionMethod, defaults: SearchDefaults): Fusion["method"] {
  switch (method) {
    case FusionMethod.UNSPECIFIED:
      return defaults.fusion;
    case FusionMethod.MIN_MAX:
      return "min-max";
    case FusionMethod.RRF:
      return "rrf";
    default:
      throw invalidArgument("HW_FUSION_METHOD_INVALID", `There is no fusion method ${String(method)}.`);
  }
}

function readRerank(request: SearchRequest, defaults: SearchDefaults): SearchPlan["rerank"] {
  const { disabled = false, depth = 0, budgetMs = 0 } = request.rerank ?? {};
  if (depth > 256)
    throw invalidArgument("HW_RERANK_DEPTH_INVALID", `1 to 256 hits can be reranked, not ${depth}.`);
  if (budgetMs > 60_000)
    throw invalidArgument("HW_RERANK_BUDGET_INVALID", "The budget of a rerank is at most 60,000 ms.");
  const wanted = depth === 0 ? defaults.rerankDepth : depth;
  if (disabled || wanted === 0) return undefined;
  return { depth: wanted, budgetMs: budgetMs === 0 ? defaults.rerankBudgetMs : budgetMs };
}

function readFilter(tenant: string, filter: Filter | undefined): PassageFilter {
  if (!filter) return { tenant };
  const { attributes, mediaTypes, documentIds, observedFrom, observedBefore } = filter;
  const bad = (message: string) => invalidArgument("HW_FILTER_INVALID", message);
  if (attributes.length > 64) throw bad("A filter has at most 64 attributes.");
  for (const { key, values } of attributes) {
    if (key === "") throw bad("An attribute of the filter has no key.");
    if (values.length < 1 || values.length > 64) throw bad("An attribute of the filter has 1 to 64 values.");
  }
  if (mediaTypes.length > 64) throw bad("A filter has at most 64 media types.");
  if (documentIds.length > 1024) throw bad("A filter has at most 1,024 document ids.");
  for (const time of [observedFrom, observedBefore]) {
    if (time && Number.isNaN(time.getTime()))
      throw bad("A time of the filter is outside of what a time can be.");
  }
  return {
    tenant,
    ...(attributes.length === 0 ? {} : { attributes }),
    ...(mediaTypes.length === 0 ? {} : { mediaTypes }),
    ...(documentIds.length === 0 ? {} : { documentIds }),
    ...(observedFrom === undefined ? {} : { observedFrom: observedFrom.getTime() }),
    ...(observedBefore === undefined ? {} : { observedBefore: observedBefore.getTime() }),
  };
}
