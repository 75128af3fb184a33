import { HeadwaterError, status } from "@headwater/errors";
import type { Judgements } from "@headwater/evaluation";
import { summarize } from "@headwater/evaluation";
import type { SearchServiceDefinition } from "@headwater/proto/services/headwater/v1/search";
import { Stage } from "@headwater/proto/services/headwater/v1/search";
import type { RpcClient } from "@headwater/rpc";
import { z } from "zod";
import { judgementsOf } from "../../feedback/feedback-export.ts";
import type { FeedbackStore } from "../../feedback/feedback-store.ts";
import type { JobKind, JsonObject } from "../job.ts";
import { readInput } from "../job-input.ts";

/** Without `queries`: those that people gave feedback on. */
const inputSchema = z.strictObject({
  queries: z
    .array(
      z.strictObject({
        text: z.string().min(1).max(8192),
        /** By document id: 0 is not relevant, higher is more so. */
        relevant: z.record(z.string(), z.int().min(0).max(100)),
      }),
    )
    .min(1)
    .max(10_000)
    .optional(),
});

interface Query {
  readonly text: string;
  readonly judgements: Judgements;
}

/** nDCG@10 and recall@100 look no further. */
const depth = 100;
/** The quality of the reranker is measured, not the speed of this machine: the longest that may be asked for. */
const rerankBudgetMs = 60_000;

const rankings = {
  bm25: Stage.LEXICAL,
  dense: Stage.VECTOR,
  fused: Stage.FUSED,
  reranked: Stage.RERANKED,
} as const;

/** Measures retrieval over the tenant's own documents as they are now. */
export function evaluateJob(search: RpcClient<SearchServiceDefinition>, feedback: FeedbackStore): JobKind {
  return {
    name: "evaluate",
    concurrency: 1,
    check: (input) => void readInput(inputSchema, input),
    async run({ tenant, input }, { signal, report }) {
      const { queries: given } = readInput(inputSchema, input);
      const queries =
        given?.map(({ text, relevant }) => ({ text, judgements: new Map(Object.entries(relevant)) })) ??
        (await Array.fromAsync(judgementsOf(feedback, tenant)));
      if (!queries.some(({ judgements }) => [...judgements.values()].some((value) => value > 0)))
        throw nothingJudged();
      const found = new Map<Stage, Map<string, string[]>>();
      for (const [at, query] of queries.entries()) {
        report({ done: at, total: queries.length, note: query.text.slice(0, 200) });
        await rank(search, tenant, String(at), query, found, signal);
      }
      const judged = new Map(queries.map(({ judgements }, at) => [String(at), judgements]));
      const output: JsonObject = {};
      for (const [name, stage] of Object.entries(rankings)) {
        const { ndcg10, recall100, mrr, queries: counted } = summarize(found.get(stage) ?? new Map(), judged);
        output[name] = { ndcg_10: ndcg10, recall_100: recall100, mrr, queries: counted };
      }
      return output;
    },
  };
}

async function rank(
  search: RpcClient<SearchServiceDefinition>,
  tenant: string,
  id: string,
  { text }: Query,
  found: Map<Stage, Map<string, string[]>>,
  signal: AbortSignal,
): Promise<void> {
  const request = {
    tenant,
    query: text,
    pageSize: depth,
    groupByDocument: true,
    rerank: { budgetMs: rerankBudgetMs },
  };
  for await (const { event } of search.call.search(request, { signal })) {
    if (event?.$case !== "hits") continue;
    const ranking = found.get(event.value.stage) ?? new Map<string, string[]>();
    ranking.set(
      id,
      event.value.hits.map((hit) => hit.document?.id ?? ""),
    );
    found.set(event.value.stage, ranking);
  }
}

function nothingJudged(): HeadwaterError {
  return new HeadwaterError({
    code: status.FAILED_PRECONDITION,
    reason: "HW_EVALUATION_EMPTY",
    message: "No document is judged as relevant to a query.",
    action: "Send queries with their relevant documents, or give feedback on hits.",
  });
}
