import type { UnitCosts } from "./unit-costs.ts";

/** What an installation is to bear. */
export interface Demand {
  readonly passages: number;
  /** Searches a second, of all callers; one in `searchesPerAnswer` is made for an answer. */
  readonly queriesPerSecond: number;
}

/** How many of what. */
export interface Plan extends Demand {
  readonly pods: Readonly<Record<"gateway" | "generation" | "search" | "embeddingWorker" | "ingest", number>>;
  /** Of all pods' requests. */
  readonly podCores: number;
  readonly podGigabytes: number;
  readonly kafkaPartitions: number;
  readonly elasticsearch: {
    readonly shards: number;
    readonly copies: number;
    readonly nodes: number;
    readonly terabytes: number;
  };
  readonly qdrant: {
    readonly shards: number;
    readonly copies: number;
    readonly nodes: number;
    readonly gigabytesInMemory: number;
    readonly terabytes: number;
  };
  readonly postgresGigabytes: number;
  readonly originalsTerabytes: number;
  /** Days of the embedding-workers to embed everything anew, when no query wants them. */
  readonly reindexDays: number;
  /** Bounds by how near they are; above 1 they are broken. */
  readonly bounds: readonly Bound[];
}

export interface Bound {
  readonly what: string;
  readonly share: number;
}

/** Choices, not costs; change them to fit. */
export const assumptions = {
  passagesPerDocument: 8,
  /** Of all passages, a day; the peak is `peak` times the mean. */
  changedPerDay: 0.01,
  peak: 4,
  searchesPerAnswer: 10,
  /** Share of a pod's or node's processors that a plan may use; somebody waits for the answers, nobody for the passages. */
  utilisation: { queries: 0.5, passages: 0.8, engines: 0.5 },
  /** Two nodes of each engine hold everything, whatever the load. */
  copies: 2,
  /** Days within which everything can be embedded anew by the workers that the peak of changes or of queries asks for. */
  reindexWithinDays: 14,
  originalBytes: 20_000,
  elasticNode: { cores: 16, gigabytes: 64, terabytes: 2 },
  qdrantNode: { cores: 16, gigabytes: 128 },
  /** A tenant's passages lie in one shard of Elasticsearch; of all of them, so many belong to the largest. */
  largestTenantShare: 0.1,
} as const;

/** Documented by those who make the servers; see docs/capacity.md. */
export const limits = {
  shardBytes: 50e9,
  shardDocuments: 200e6,
  /** Of an Elasticsearch cluster's master, by Elastic's advice for ordinary nodes. */
  elasticShards: 10_000,
  qdrantShardVectors: 50e6,
  /** Calls that one search makes in Qdrant at once, beyond which its slowest node says how long it takes; ours, not theirs. */
  qdrantFanOut: 64,
  /** Nodes of one Qdrant cluster, which agree by Raft; ours, not theirs. */
  qdrantNodes: 100,
  kafkaPartitions: 4000,
  postgresBytes: 2e12,
  postgresWritesPerSecond: 10_000,
  pods: 1000,
} as const;

const secondsPerDay = 86_400;

export function plan(demand: Demand, costs: UnitCosts): Plan {
  const { passages, queriesPerSecond } = demand;
  const { utilisation, copies } = assumptions;
  const answers = queriesPerSecond / assumptions.searchesPerAnswer;
  const searches = queriesPerSecond;
  const changed = (passages * assumptions.changedPerDay * assumptions.peak) / secondsPerDay;
  const documents = passages / assumptions.passagesPerDocument;
  const cores = (milliseconds: number, perSecond: number, share: number) =>
    (milliseconds * perSecond) / 1000 / share;

  // One process computes on about one core, but for the embedding-worker, whose model has as many as it is given.
  const own = (service: "gateway" | "generation" | "search") =>
    cores(costs.search[service], searches - answers, utilisation.queries) +
    cores(costs.answer[service], answers, utilisation.queries);
  const workerCores = Math.max(
    cores(costs.search.embeddingWorker, searches - answers, utilisation.queries) +
      cores(costs.answer.embeddingWorker, answers, utilisation.queries) +
      cores(costs.passage.embeddingWorker, changed, utilisation.passages),
    cores(
      costs.passage.embeddingWorker,
      passages / assumptions.reindexWithinDays / secondsPerDay,
      utilisation.passages,
    ),
  );
  const pods = {
    gateway: atLeast(2, own("gateway")),
    generation: atLeast(2, own("generation")),
    search: atLeast(2, own("search")),
    embeddingWorker: atLeast(2, workerCores / costs.workerCores),
    ingest: atLeast(
      2,
      cores(costs.passage.ingest, Math.max(changed, reindexRate(passages)), utilisation.passages),
    ),
  };

  const elasticBytes = passages * costs.elasticsearchBytes;
  const elasticShards = atLeast(1, Math.max(elasticBytes / 30e9, passages / limits.shardDocuments));
  // A search asks the one shard of its tenant.
  const elasticCores = cores(costs.elasticsearchMs, searches, utilisation.engines);
  const elasticNodes = atLeast(
    // Three: two hold every shard, and a majority can choose a master.
    3,
    Math.max(
      (elasticBytes * copies) / (assumptions.elasticNode.terabytes * 1e12),
      elasticCores / assumptions.elasticNode.cores,
    ),
  );
  const elasticCopies = Math.max(copies, Math.ceil(elasticNodes / elasticShards));

  const qdrantShards = atLeast(1, passages / limits.qdrantShardVectors);
  // A search asks every shard once.
  const qdrantCores = cores(costs.qdrantMs, searches * qdrantShards, utilisation.engines);
  const qdrantMemory = passages * costs.qdrantMemoryBytes;
  const qdrantNodes = atLeast(
    copies,
    Math.max(
      (qdrantMemory * copies) / (assumptions.qdrantNode.gigabytes * 1e9 * 0.8),
      qdrantCores / assumptions.qdrantNode.cores,
    ),
  );
  const qdrantCopies = Math.max(copies, Math.ceil(qdrantNodes / qdrantShards));

  const partitions = Math.max(8, Math.ceil((pods.ingest * 2) / 8) * 8);
  const postgresBytes = documents * costs.catalogBytes;
  const podCount = Object.values(pods).reduce((sum, count) => sum + count, 0);
  const largestTenant = passages * assumptions.largestTenantShare;
  const bounds: Bound[] = [
    {
      what: "the largest tenant outgrows its one shard of Elasticsearch",
      share: Math.max(
        largestTenant / limits.shardDocuments,
        (largestTenant * costs.elasticsearchBytes) / limits.shardBytes,
      ),
    },
    { what: "every search asks all shards of Qdrant", share: qdrantShards / limits.qdrantFanOut },
    { what: "nodes of one Qdrant cluster", share: qdrantNodes / limits.qdrantNodes },
    { what: "one PostgreSQL holds the catalog", share: postgresBytes / limits.postgresBytes },
    {
      what: "one PostgreSQL takes the catalog's writes",
      share: (changed / assumptions.passagesPerDocument) * 3 * (1 / limits.postgresWritesPerSecond),
    },
    {
      what: "shards of one Elasticsearch cluster",
      share: (elasticShards * elasticCopies) / limits.elasticShards,
    },
    { what: "partitions of one Kafka topic", share: partitions / limits.kafkaPartitions },
    { what: "pods of one release: each caller connects to every pod", share: podCount / limits.pods },
  ];
  return {
    ...demand,
    pods,
    podCores: Math.ceil(
      pods.gateway + pods.generation + pods.search + pods.ingest + pods.embeddingWorker * costs.workerCores,
    ),
    podGigabytes: Object.entries(pods).reduce(
      (sum, [service, count]) => sum + count * (costs.residentGigabytes[service as keyof Plan["pods"]] ?? 0),
      0,
    ),
    kafkaPartitions: partitions,
    elasticsearch: {
      ...{ shards: elasticShards, copies: elasticCopies, nodes: elasticNodes },
      terabytes: (elasticBytes * elasticCopies) / 1e12,
    },
    qdrant: {
      ...{ shards: qdrantShards, copies: qdrantCopies, nodes: qdrantNodes },
      gigabytesInMemory: (qdrantMemory * qdrantCopies) / 1e9,
      terabytes: (passages * costs.qdrantDiskBytes * qdrantCopies) / 1e12,
    },
    postgresGigabytes: postgresBytes / 1e9,
    originalsTerabytes: (documents * assumptions.originalBytes) / 1e12,
    reindexDays:
      (passages * costs.passage.embeddingWorker) /
      1000 /
      (pods.embeddingWorker * costs.workerCores * utilisation.passages) /
      secondsPerDay,
    bounds: bounds.toSorted((one, other) => other.share - one.share),
  };
}

/** Passages a second of a reindex that keeps to its days. */
function reindexRate(passages: number): number {
  return passages / assumptions.reindexWithinDays / secondsPerDay;
}

function atLeast(least: number, wanted: number): number {
  return Math.max(least, Math.ceil(wanted - 1e-9));
}
