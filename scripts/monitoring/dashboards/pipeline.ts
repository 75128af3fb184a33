import type { Dashboard } from "../dashboard.ts";
import { buckets, metric, quantiles, rate, sumBy } from "../promql.ts";

export const pipeline: Dashboard = {
  name: "pipeline",
  title: "Pipeline",
  description: "From the document log to both indexes: lag, rates, stages, what was given up.",
  rows: [
    {
      title: "Lag",
      panels: [
        {
          title: "Events not yet done",
          description:
            "In all partitions. Every ingest knows the lag of the whole group, so the largest is taken. Empty while ingest is scaled to zero: then KEDA alone looks.",
          unit: "short",
          queries: [{ expr: metric("headwater:ingest_lag_records:sum"), legend: "events" }],
        },
        {
          title: "By partition",
          description:
            "One that grows alone has a document that is tried again and again, or an owner that hangs.",
          unit: "short",
          queries: [
            {
              expr: `max by (partition) (${metric("headwater_ingest_lag_records")})`,
              legend: "{{partition}}",
            },
          ],
        },
        {
          title: "Until it can be found",
          description: "From an event's place in the log to its document being searchable, or gone.",
          unit: "s",
          limit: 300,
          queries: quantiles("headwater_ingest_freshness_seconds"),
        },
      ],
    },
    {
      title: "Rates",
      panels: [
        {
          title: "Documents",
          description:
            "Events that are done, by what came of them. unchanged: the same bytes as before; stale: an older version.",
          unit: "ops",
          stacked: true,
          queries: [
            { expr: sumBy(["outcome"], rate("headwater_ingest_documents_total")), legend: "{{outcome}}" },
          ],
        },
        {
          title: "Passages",
          description: "Written to both indexes.",
          unit: "ops",
          queries: [{ expr: sumBy([], rate("headwater_ingest_passages_total")), legend: "passages" }],
        },
        {
          title: "Bytes of originals",
          description: "Of documents that were indexed.",
          unit: "Bps",
          queries: [{ expr: sumBy([], rate("headwater_ingest_bytes_total")), legend: "originals" }],
        },
        {
          title: "Pushed over gRPC and HTTP",
          description: "refused: the backlog is full, or the document is not valid.",
          unit: "ops",
          stacked: true,
          queries: [
            {
              expr: sumBy(["result"], rate("headwater_ingest_pushed_documents_total")),
              legend: "{{result}}",
            },
          ],
        },
        {
          title: "Under way",
          description:
            "Documents between the log and the indexes; at its bound, the slowest stage says what it waits for.",
          unit: "short",
          queries: [{ expr: sumBy([], metric("headwater_ingest_in_flight_documents")), legend: "documents" }],
        },
        {
          title: "Bytes under way",
          description: "Of originals, in all processes.",
          unit: "bytes",
          queries: [{ expr: sumBy([], metric("headwater_ingest_in_flight_bytes")), legend: "bytes" }],
        },
      ],
    },
    {
      title: "Stages",
      panels: [
        {
          title: "Time in each stage",
          description:
            "p95 of one document, waiting included: the stage that takes longest is the one to add to.",
          unit: "s",
          queries: quantiles("headwater_ingest_stage_duration_seconds", ["stage"], [0.95]),
        },
        {
          title: "Retries",
          description: "Calls that failed and were made again, by what was called.",
          unit: "ops",
          queries: [
            {
              expr: sumBy(["component"], rate("headwater_ingest_retries_total")),
              legend: "{{component}}",
            },
          ],
        },
        {
          title: "Until it can be found, as a distribution",
          description: "A band that rises is a backlog that is worked off; two bands are two sources.",
          unit: "s",
          shape: "heatmap",
          queries: buckets("headwater_ingest_freshness_seconds"),
        },
      ],
    },
    {
      title: "Given up",
      panels: [
        {
          title: "Dead letters",
          description:
            "Documents given up, by the stage that failed and why. `headwater dead-letters` lists and replays them.",
          unit: "short",
          width: 16,
          queries: [
            {
              expr: `sum by (stage, reason) (increase(${metric("headwater_ingest_dead_letters_total")}[$__rate_interval])) > 0`,
              legend: "{{stage}} {{reason}}",
            },
          ],
        },
        {
          title: "Dead letters in the last day",
          description: "How many were given up.",
          unit: "short",
          shape: "number",
          limit: 1,
          queries: [
            {
              expr: `sum(increase(${metric("headwater_ingest_dead_letters_total")}[1d]))`,
              legend: "documents",
            },
          ],
        },
      ],
    },
  ],
};
