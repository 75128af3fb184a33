import type { Registry } from "@headwater/telemetry";
import { Counter, durationBuckets, Gauge, Histogram } from "@headwater/telemetry";

const outcomes = ["indexed", "unchanged", "stale", "deleted", "failed"] as const;
export type Outcome = (typeof outcomes)[number];

const stages = ["read", "parse", "chunk", "embed", "index"] as const;
export type Stage = (typeof stages)[number];

export interface IngestMetrics {
  readonly documents: Counter<"outcome">;
  readonly bytes: Counter<string>;
  readonly passages: Counter<string>;
  readonly stageSeconds: Histogram<"stage">;
  readonly lag: Gauge<"partition">;
  readonly freshness: Histogram;
  readonly deadLetters: Counter<"stage" | "reason">;
  readonly inFlight: Gauge<string>;
  readonly inFlightBytes: Gauge<string>;
  readonly retries: Counter<"component">;
  readonly pushed: Counter<"result">;
  readonly watchers: Gauge<string>;
  readonly lastBackup: Gauge<string>;
}

/** Seconds; from a document that was waited for to a backlog of a day. */
const freshnessBuckets = [0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600, 6 * 3600, 24 * 3600];

/** Each series exists, at zero, from the start. */
export function createIngestMetrics(registry: Registry): IngestMetrics {
  const registers = [registry];
  const metrics: IngestMetrics = {
    documents: new Counter({
      name: "headwater_ingest_documents_total",
      help: "Events of the document log that are done, by what came of them",
      labelNames: ["outcome"],
      registers,
    }),
    bytes: new Counter({
      name: "headwater_ingest_bytes_total",
      help: "Bytes of originals that were indexed",
      registers,
    }),
    passages: new Counter({
      name: "headwater_ingest_passages_total",
      help: "Passages that were written to the indexes",
      registers,
    }),
    stageSeconds: new Histogram({
      name: "headwater_ingest_stage_duration_seconds",
      help: "Time of one document in one stage, waiting included",
      labelNames: ["stage"],
      buckets: durationBuckets,
      registers,
    }),
    lag: new Gauge({
      name: "headwater_ingest_lag_records",
      help: "Events in the document log that are not yet done",
      labelNames: ["partition"],
      registers,
    }),
    freshness: new Histogram({
      name: "headwater_ingest_freshness_seconds",
      help: "From an event's place in the log to its document being searchable, or gone",
      buckets: freshnessBuckets,
      registers,
    }),
    deadLetters: new Counter({
      name: "headwater_ingest_dead_letters_total",
      help: "Documents that were given up",
      labelNames: ["stage", "reason"],
      registers,
    }),
    inFlight: new Gauge({
      name: "headwater_ingest_in_flight_documents",
      help: "Documents between the log and the indexes",
      registers,
    }),
    inFlightBytes: new Gauge({
      name: "headwater_ingest_in_flight_bytes",
      help: "Bytes of originals between the log and the indexes",
      registers,
    }),
    retries: new Counter({
      name: "headwater_ingest_retries_total",
      help: "Calls of a dependency that failed and were made again",
      labelNames: ["component"],
      registers,
    }),
    pushed: new Counter({
      name: "headwater_ingest_pushed_documents_total",
      help: "Documents that came in over Push",
      labelNames: ["result"],
      registers,
    }),
    watchers: new Gauge({
      name: "headwater_ingest_watchers",
      help: "Watch streams that are open",
      registers,
    }),
    lastBackup: new Gauge({
      name: "headwater_backup_last_success_timestamp_seconds",
      help: "Unix time at which the last backup that succeeded began; 0 where there was none",
      registers,
    }),
  };
  for (const outcome of outcomes) metrics.documents.inc({ outcome }, 0);
  for (const stage of stages) {
    metrics.deadLetters.inc({ stage, reason: "HW_INTERNAL" }, 0);
    // Chunking happens together with parsing, in a worker thread, and is timed with it.
    if (stage !== "chunk") metrics.stageSeconds.zero({ stage });
  }
  for (const component of ["log", "catalog", "blobs", "embedding", "index"])
    metrics.retries.inc({ component }, 0);
  for (const result of ["accepted", "refused"]) metrics.pushed.inc({ result }, 0);
  metrics.inFlight.set(0);
  metrics.inFlightBytes.set(0);
  metrics.watchers.set(0);
  metrics.lastBackup.set(0);
  return metrics;
}
