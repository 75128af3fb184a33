import type { Bound, Plan } from "./plan.ts";

/** One row for each demand, as docs/capacity.md has them. */
export function planTable(plans: readonly Plan[]): string {
  const head =
    "| passages | queries/s | gateway, generation, search, embedding-worker, ingest | cores, memory of pods | Kafka partitions | Elasticsearch: shards × copies, nodes, disk | Qdrant: shards × copies, nodes, memory, disk | PostgreSQL | originals | reindex |";
  const rows = plans.map((plan) => {
    const { pods, elasticsearch: elastic, qdrant } = plan;
    const cells = [
      count(plan.passages),
      count(plan.queriesPerSecond),
      [pods.gateway, pods.generation, pods.search, pods.embeddingWorker, pods.ingest].map(count).join(", "),
      `${count(plan.podCores)}, ${gigabytes(plan.podGigabytes)}`,
      count(plan.kafkaPartitions),
      `${count(elastic.shards)} × ${count(elastic.copies)}, ${count(elastic.nodes)}, ${gigabytes(elastic.terabytes * 1000)}`,
      `${count(qdrant.shards)} × ${count(qdrant.copies)}, ${count(qdrant.nodes)}, ${gigabytes(qdrant.gigabytesInMemory)}, ${gigabytes(qdrant.terabytes * 1000)}`,
      gigabytes(plan.postgresGigabytes),
      gigabytes(plan.originalsTerabytes * 1000),
      duration(plan.reindexDays),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [head, `|${"---|".repeat(10)}`, ...rows].join("\n");
}

/** What breaks first: the bounds that are broken, or the nearest one. */
export function boundsTable(plans: readonly Plan[]): string {
  const rows = plans.map(({ passages, queriesPerSecond, bounds }) => {
    const broken = bounds.filter(({ share }) => share > 1);
    const told = broken.length > 0 ? broken : bounds.slice(0, 1);
    return `| ${count(passages)} | ${count(queriesPerSecond)} | ${broken.length > 0 ? "**breaks**" : "holds"} | ${told.map(boundText).join("; ")} |`;
  });
  return [
    "| passages | queries/s | | nearest, or broken, bounds (share of the bound) |",
    "|---|---|---|---|",
    ...rows,
  ].join("\n");
}

function boundText({ what, share }: Bound): string {
  return `${what} (${share < 0.1 ? share.toFixed(2) : share < 10 ? share.toFixed(1) : count(share)})`;
}

function count(value: number): string {
  if (value >= 1e9) return `${value / 1e9} G`;
  if (value >= 1e6) return `${value / 1e6} M`;
  return Math.round(value).toLocaleString("en-US");
}

function duration(days: number): string {
  if (days >= 1) return `${days.toFixed(1)} days`;
  return days * 24 >= 1 ? `${(days * 24).toFixed(1)} h` : `${Math.ceil(days * 1440)} min`;
}

function gigabytes(value: number): string {
  if (value >= 1000) return `${(value / 1000).toFixed(value < 10_000 ? 1 : 0)} TB`;
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} GB`;
}
