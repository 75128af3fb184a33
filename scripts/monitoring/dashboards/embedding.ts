import type { Dashboard } from "../dashboard.ts";
import { buckets, metric, quantiles, rate, share, sumBy } from "../promql.ts";

export const embedding: Dashboard = {
  name: "embedding",
  title: "Embedding",
  description:
    "The embedding-workers: tokens a second, how full batches are, what waits, what the caches save.",
  rows: [
    {
      title: "Work",
      panels: [
        {
          title: "Tokens",
          description: "Through the model, padding left out, by lane: queries go ahead of passages.",
          unit: "ops",
          stacked: true,
          queries: [{ expr: sumBy(["lane"], rate("headwater_embedding_tokens_total")), legend: "{{lane}}" }],
        },
        {
          title: "Tokens that wait",
          description: "In front of the model.",
          unit: "short",
          queries: [
            { expr: sumBy(["lane"], metric("headwater_embedding_queue_tokens")), legend: "{{lane}}" },
          ],
        },
        {
          title: "Seconds of work that wait",
          description:
            "Tokens in the queue against tokens a second: how long the last of them waits. Above 30 s workers are missing.",
          unit: "s",
          limit: 30,
          queries: [{ expr: metric("headwater:embedding_backlog_seconds:ratio"), legend: "backlog" }],
        },
        {
          title: "Tokens in the model",
          description: "Batches that run now.",
          unit: "short",
          queries: [{ expr: sumBy([], metric("headwater_embedding_in_flight_tokens")), legend: "in flight" }],
        },
        {
          title: "Dropped before the model",
          description: "left: the caller is gone; deadline: too late; refused: the queue is full.",
          unit: "ops",
          stacked: true,
          queries: [{ expr: sumBy(["why"], rate("headwater_embedding_dropped_total")), legend: "{{why}}" }],
        },
        {
          title: "Workers",
          description: "Processes that report.",
          unit: "short",
          queries: [{ expr: `count(${metric("headwater_embedding_in_flight_tokens")})`, legend: "workers" }],
        },
      ],
    },
    {
      title: "Batches",
      panels: [
        {
          title: "Share of a batch that is text",
          description: "The rest is padding. Below 0.8 the lengths in a batch differ too much.",
          unit: "percentunit",
          queries: quantiles("headwater_embedding_batch_fill_ratio", [], [0.05, 0.5]),
        },
        {
          title: "Texts in a batch",
          description: "Small ones are right where texts are long, and where nothing waits.",
          unit: "short",
          shape: "heatmap",
          queries: buckets("headwater_embedding_batch_texts"),
        },
        {
          title: "Time of each stage",
          description: "p95: tokenize a request; queue and inference of a batch.",
          unit: "s",
          queries: quantiles("headwater_embedding_stage_duration_seconds", ["stage"], [0.95]),
        },
      ],
    },
    {
      title: "Queries and reranks",
      panels: [
        {
          title: "Calls",
          description: "Query embeddings and reranks, for searches that wait for them.",
          unit: "reqps",
          queries: [
            {
              expr: sumBy(["kind"], rate("rag_queries_total", 'service="embedding-worker"')),
              legend: "{{kind}}",
            },
          ],
        },
        {
          title: "Time of a call",
          description: "p50 and p95 of each kind.",
          unit: "s",
          queries: quantiles(
            "rag_query_duration_seconds",
            ["kind"],
            [0.5, 0.95],
            'service="embedding-worker"',
          ),
        },
        {
          title: "Found in a cache",
          description: "Share of look-ups, by what is kept and in which tier.",
          unit: "percentunit",
          queries: [
            {
              expr: share(
                sumBy(["cache"], rate("rag_cache_hits_total", 'service="embedding-worker"')),
                `(${sumBy(["cache"], rate("rag_cache_hits_total", 'service="embedding-worker"'))} + ${sumBy(["cache"], rate("rag_cache_misses_total", 'service="embedding-worker"'))})`,
              ),
              legend: "{{cache}}",
            },
          ],
        },
      ],
    },
  ],
};
