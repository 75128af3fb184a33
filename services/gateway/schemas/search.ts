import type { Explanation, Filter, Hit, SearchOptions, SearchSummary } from "@headwater/client";
import { fusionMethods, stages } from "@headwater/client";
import { z } from "zod";
import { metadataJson, metadataSchema, rangeJson, textRangeSchema } from "./documents.ts";
import { documentIdSchema } from "./new-document.ts";
import { named } from "./registry.ts";

export const stageSchema = named(
  "Stage",
  z.enum(stages).describe("Where hits come from, in the order in which stages can arrive"),
);

export const querySchema = z.string().min(1, "must not be empty").max(8192);

export const filterSchema = named(
  "Filter",
  z
    .strictObject({
      attributes: z
        .record(z.string().min(1).max(128), z.array(z.string().max(1024)).min(1).max(64))
        .optional()
        .describe("By key: values that the attribute may have"),
      media_types: z.array(z.string()).max(64).optional(),
      document_ids: z.array(documentIdSchema).max(1024).optional(),
      observed_from: z.iso.datetime({ offset: true }).optional().describe("Observed at or after this time"),
      observed_before: z.iso.datetime({ offset: true }).optional().describe("Observed before this time"),
    })
    .describe("Narrows what is searched: fields are joined by AND, the values of one field by OR"),
);

export const searchRequestSchema = named(
  "SearchRequest",
  z.strictObject({
    query: querySchema,
    page_size: z.int().min(1).max(100).optional().describe("Hits a page. Default 10"),
    page_token: z
      .string()
      .max(8192)
      .optional()
      .describe("From the summary before, with the same query and options"),
    filter: filterSchema.optional(),
    stages: z.array(stageSchema).max(4).optional().describe("Which stages to send. Default: all"),
    fusion: z
      .strictObject({
        method: z.enum(fusionMethods).optional(),
        lexical_weight: z.number().min(0).max(1).optional().describe("Share of the lexical list"),
        rrf_k: z.int().min(1).max(1000).optional().describe("RRF's k. Default 60"),
      })
      .optional(),
    rerank: z
      .strictObject({
        disabled: z.boolean().optional(),
        depth: z.int().min(1).max(256).optional().describe("How many of the fused hits"),
        budget_ms: z
          .int()
          .min(1)
          .max(600_000)
          .optional()
          .describe("Milliseconds until what is known is returned"),
      })
      .optional(),
    explain: z.boolean().optional().describe("Hits carry `explanation`"),
    highlight: z.boolean().optional().describe("Hits carry `highlights`"),
    group_by_document: z.boolean().optional().describe("At most one passage a document, its best"),
  }),
);

const explanationSchema = named(
  "Explanation",
  z.object({
    lists: z.array(
      z.object({
        stage: stageSchema,
        rank: z.number().describe("From 1; 0: not in this list"),
        score: z.number().describe("In the engine's own scale"),
        weight: z.number(),
        share: z.number().describe("What the list adds to the fused score"),
      }),
    ),
    fused_score: z.number(),
    rerank_score: z.number().optional(),
  }),
);

export const hitSchema = named(
  "Hit",
  z.object({
    passage_id: z.string(),
    document: metadataSchema,
    text: z.string(),
    range: textRangeSchema.describe("Where the passage stands in the extracted text of the document"),
    page: z.number().describe("From 1; 0: the format has no pages"),
    heading_path: z.array(z.string()),
    score: z.number().describe("Compare only within one stage of one search"),
    rank: z.number().describe("From 1, over all pages"),
    highlights: z.array(textRangeSchema),
    explanation: explanationSchema.optional(),
  }),
);

export const searchSummarySchema = named(
  "SearchSummary",
  z.object({
    next_page_token: z.string().describe("For the next page; empty: this was the last"),
    milliseconds: z.record(z.string(), z.number()).describe("By step"),
    final_stage: stageSchema,
    degradations: z
      .array(z.object({ stage: stageSchema, reason: z.string(), message: z.string() }))
      .describe("What the search had to do without"),
    candidates: z.number().describe("Candidates that were fused, over all pages"),
    query_cached: z.boolean(),
  }),
);

export const hitsEventSchema = named(
  "HitsEvent",
  z.object({ stage: stageSchema, hits: z.array(hitSchema), elapsed_ms: z.number() }),
);

export const searchResponseSchema = named(
  "SearchResponse",
  z.object({ stage: stageSchema, hits: z.array(hitSchema), summary: searchSummarySchema }),
);

/** The body in the client's names. */
export function searchOptions(body: z.output<typeof searchRequestSchema>): SearchOptions {
  const { fusion, rerank } = body;
  return defined({
    pageSize: body.page_size,
    pageToken: body.page_token,
    filter: body.filter && filterOptions(body.filter),
    stages: body.stages,
    fusion:
      fusion && defined({ method: fusion.method, lexicalWeight: fusion.lexical_weight, rrfK: fusion.rrf_k }),
    rerank: rerank && defined({ disabled: rerank.disabled, depth: rerank.depth, budgetMs: rerank.budget_ms }),
    explain: body.explain,
    highlight: body.highlight,
    groupByDocument: body.group_by_document,
  });
}

export function filterOptions(filter: z.output<typeof filterSchema>): Filter {
  return defined({
    attributes: filter.attributes,
    mediaTypes: filter.media_types,
    documentIds: filter.document_ids,
    observedFrom: filter.observed_from === undefined ? undefined : new Date(filter.observed_from),
    observedBefore: filter.observed_before === undefined ? undefined : new Date(filter.observed_before),
  });
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

/** The object without the keys that are undefined: to the client, absent and undefined are not the same. */
export function defined<T extends object>(object: T): Defined<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Defined<T>;
}

export function hitJson(hit: Hit): z.output<typeof hitSchema> {
  return {
    passage_id: hit.passageId,
    document: metadataJson(hit.document),
    text: hit.text,
    range: rangeJson(hit.range),
    page: hit.page,
    heading_path: [...hit.headingPath],
    score: hit.score,
    rank: hit.rank,
    highlights: hit.highlights.map(rangeJson),
    explanation: hit.explanation && explanationJson(hit.explanation),
  };
}

function explanationJson(explanation: Explanation): z.output<typeof explanationSchema> {
  return {
    lists: explanation.lists.map((list) => ({ ...list })),
    fused_score: explanation.fusedScore,
    rerank_score: explanation.rerankScore,
  };
}

export function summaryJson(summary: SearchSummary): z.output<typeof searchSummarySchema> {
  return {
    next_page_token: summary.nextPageToken,
    milliseconds: { ...summary.milliseconds },
    final_stage: summary.finalStage,
    degradations: summary.degradations.map((degradation) => ({ ...degradation })),
    candidates: summary.candidates,
    query_cached: summary.queryCached,
  };
}
