import type { Dashboard } from "../dashboard.ts";
import { buckets, metric, quantiles, rate, share, sumBy } from "../promql.ts";

const ofSearch = 'service="search"';

export const search: Dashboard = {
  name: "search",
  title: "Search",
  description:
    "Latency by stage and to the first hit, and signs of quality: nothing found, stages missing, scores, thumbs.",
  rows: [
    {
      title: "Latency",
      panels: [
        {
          title: "Searches",
          description: "Received, a second.",
          unit: "reqps",
          queries: [{ expr: sumBy([], rate("rag_queries_total", ofSearch)), legend: "searches" }],
        },
        {
          title: "First hits",
          description:
            "From the start of a search to its first hits, of whatever stage: what a reader waits for.",
          unit: "s",
          queries: quantiles("headwater_search_first_hits_seconds"),
        },
        {
          title: "Whole searches",
          description: "To the summary, rerank included. The objective is 95 % below 1 s.",
          unit: "s",
          limit: 1,
          queries: quantiles("rag_query_duration_seconds", [], [0.5, 0.95, 0.99], ofSearch),
        },
        {
          title: "Time of each stage",
          description: "p95. lexical and vector run side by side.",
          unit: "s",
          queries: quantiles("headwater_search_step_duration_seconds", ["step"], [0.95]),
        },
        {
          title: "Waiting and under way",
          description:
            "Searches that wait for their turn mean that the processes have as many as they run at once.",
          unit: "short",
          queries: [
            { expr: sumBy([], metric("headwater_search_waiting_requests")), legend: "waiting" },
            {
              expr: sumBy([], metric("rag_active_requests", ofSearch)),
              legend: "under way, waiting included",
            },
          ],
        },
        {
          title: "Refused for load",
          description: "Answered at once with RESOURCE_EXHAUSTED and when to come back.",
          unit: "reqps",
          queries: [
            {
              expr: sumBy([], rate("rag_errors_total", ofSearch, 'code="RESOURCE_EXHAUSTED"')),
              legend: "refused",
            },
          ],
        },
      ],
    },
    {
      title: "Signs of quality",
      panels: [
        {
          title: "Searches that found nothing",
          description:
            "Share. A jump after a release or a load of documents is a fault; a high level is a gap in the documents.",
          unit: "percentunit",
          queries: [
            {
              expr: share(
                sumBy([], rate("headwater_search_zero_hits_total")),
                sumBy([], rate("rag_queries_total", ofSearch)),
              ),
              legend: "nothing found",
            },
          ],
        },
        {
          title: "Searches without a stage",
          description: "Share that had to do without words, vectors or the rerank, and why.",
          unit: "percentunit",
          limit: 0.05,
          queries: [
            {
              expr: `sum by (stage, reason) (${rate("headwater_search_degradations_total")}) / on () group_left () (${sumBy([], rate("rag_queries_total", ofSearch))} > 0)`,
              legend: "{{stage}} {{reason}}",
            },
          ],
        },
        {
          title: "Thumbs",
          description: "Ratings that people gave, an hour. none: a correction or a comment alone.",
          unit: "short",
          stacked: true,
          queries: [
            {
              expr: `sum by (rating) (increase(${metric("headwater_feedback_total")}[1h]))`,
              legend: "{{rating}}",
            },
          ],
        },
        {
          title: "Cosine of the nearest passage",
          description:
            "What is below 0.6 is hardly about the question. The scale is the model's own: compare with last week.",
          unit: "none",
          shape: "heatmap",
          queries: buckets("headwater_search_top_score", 'stage="vector"'),
        },
        {
          title: "Best rerank score",
          description: "The reranker's own scale.",
          unit: "none",
          shape: "heatmap",
          queries: buckets("headwater_search_top_score", 'stage="reranked"'),
        },
        {
          title: "Median of the best scores",
          description:
            "One that falls slowly: questions drift away from the documents, or documents from the questions.",
          unit: "none",
          queries: quantiles("headwater_search_top_score", ["stage"], [0.1, 0.5]),
        },
      ],
    },
    {
      title: "What it asks",
      panels: [
        {
          title: "Query vectors found in the cache",
          description: "Share of searches whose vector was known.",
          unit: "percentunit",
          queries: [
            {
              expr: share(
                sumBy([], rate("rag_cache_hits_total", ofSearch)),
                `(${sumBy([], rate("rag_cache_hits_total", ofSearch))} + ${sumBy([], rate("rag_cache_misses_total", ofSearch))})`,
              ),
              legend: "query vectors",
            },
          ],
        },
        {
          title: "Calls of the engines",
          description: "p95 of one attempt, as search sees it.",
          unit: "s",
          queries: quantiles("headwater_dependency_call_duration_seconds", ["dependency"], [0.95], ofSearch),
        },
        {
          title: "Calls of the engines that failed",
          description: "refused: not tried, because the circuit breaker was open.",
          unit: "ops",
          queries: [
            {
              expr: sumBy(
                ["dependency", "outcome"],
                rate("headwater_dependency_calls_total", ofSearch, 'outcome!="ok"'),
              ),
              legend: "{{dependency}} {{outcome}}",
            },
          ],
        },
      ],
    },
  ],
};
