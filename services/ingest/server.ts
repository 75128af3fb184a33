import { demandingClient, EmbeddingDemand, loadService } from "@headwater/load";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import { createRpcClient, openTls, startRpcServer } from "@headwater/rpc";
import type { RunningService } from "@headwater/service";
import type { Telemetry } from "@headwater/telemetry";
import { BackupLedger } from "./catalog/backup-ledger.ts";
import { Catalog } from "./catalog/catalog.ts";
import { GenerationLedger } from "./catalog/generation-ledger.ts";
import type { IngestConfig } from "./config.ts";
import { BackupWatch } from "./documents/backup-watch.ts";
import { BlobSweeper } from "./documents/blob-sweeper.ts";
import { UploadSweeper } from "./documents/upload-sweeper.ts";
import { IngestHandlers } from "./ingest-handlers.ts";
import { createIngestMetrics } from "./metrics.ts";
import { PipelineSupervisor } from "./pipeline/pipeline-supervisor.ts";
import type { CreateProcessor } from "./pipeline/processing-tools.ts";
import { openProcessingTools } from "./pipeline/processing-tools.ts";
import { Trouble } from "./pipeline/trouble.ts";
import { createDocumentProcessor } from "./processor/document-processor.ts";
import { BacklogGate } from "./push/backlog-gate.ts";
import { EventAppender } from "./push/event-appender.ts";
import { VersionClock } from "./push/version-clock.ts";
import { Reconciler } from "./reconcile/reconciler.ts";
import { Reindexer } from "./reindex/reindexer.ts";
import type { Stores } from "./stores.ts";
import { checkStores, closeStores, openStores } from "./stores.ts";
import { UploadTokens } from "./uploads/upload-token.ts";
import { Uploads } from "./uploads/uploads.ts";

export type { PreparedIndexes, PrepareOptions } from "./prepare.ts";
export { prepareIngest } from "./prepare.ts";

/** Of the time for an orderly end, the share that documents under way may take. */
const pipelineShare = 0.7;

/** @throws HeadwaterError where a store cannot be opened or the address is taken */
export async function startIngest(config: IngestConfig, telemetry: Telemetry): Promise<RunningService> {
  const stores = await openStores(config, (thrown) =>
    telemetry.log.warn({ err: thrown }, "a store's upkeep failed"),
  );
  try {
    return await startOnStores({ config, telemetry, stores, createProcessor: createDocumentProcessor });
  } catch (thrown) {
    await closeStores(stores);
    throw thrown;
  }
}

interface StartOptions {
  readonly config: IngestConfig;
  readonly telemetry: Telemetry;
  /** Closed with the service. */
  readonly stores: Stores;
  readonly createProcessor: CreateProcessor;
  /** See ReindexerParts. */
  readonly leaseMs?: number;
  /** See ReconcilerParts. */
  readonly reconcilePauseMs?: number;
}

/** @internal For tests, which bring stores and a processor of their own. */
export async function startOnStores(options: StartOptions): Promise<RunningService> {
  const { config, telemetry, stores, createProcessor } = options;
  const metrics = createIngestMetrics(telemetry.metrics);
  const trouble = new Trouble(telemetry.log, metrics);
  const catalog = await Catalog.open(stores.records, (thrown) => trouble.note("catalog", thrown));
  const uploadTokens = await UploadTokens.open(stores.records);
  const ledger = new GenerationLedger(stores.records);
  const backups = new BackupLedger(stores.records);
  const backupWatch = new BackupWatch(
    backups,
    (at) => metrics.lastBackup.set(at / 1000),
    (thrown) => trouble.note("catalog", thrown),
  );
  const tls = openTls(config.tls, telemetry);
  const demand = new EmbeddingDemand();
  const client = demandingClient(
    createRpcClient(EmbeddingServiceDefinition, config.embeddingAddress, { config: config.rpc, tls }),
    demand,
  );
  const sweeper = new BlobSweeper({
    ...{ catalog, blobs: stores.blobs },
    onError: (thrown) => trouble.note("blobs", thrown),
  });
  const uploads = new UploadSweeper({
    ...{ blobs: stores.blobs, log: stores.log, group: config.pipeline.group, catalog, backups },
    onError: (thrown) => trouble.note("blobs", thrown),
  });
  const gate = new BacklogGate({
    ...{ log: stores.log, group: config.pipeline.group, maxLag: config.push.maxLag },
    onLag: (partitions) => {
      for (const { partition, endOffset, committedOffset } of partitions)
        metrics.lag.set({ partition: String(partition) }, endOffset - committedOffset);
    },
    onError: (thrown) => trouble.note("log", thrown),
  });
  const appender = new EventAppender({
    ...{ log: stores.log, catalog, gate },
    onRetry: (error) => trouble.note("log", error),
  });
  let indexedSinceStart = 0;
  const supervisor = new PipelineSupervisor({
    ...{ config, telemetry, metrics, stores, catalog, ledger, trouble, client, demand, createProcessor },
    onSettled: (change, outcome) => {
      if (outcome === "indexed") indexedSinceStart += 1;
      if (change.kind === "delete") catalog.deleted(change);
      if (outcome !== "unchanged") sweeper.wake();
    },
  });
  const reindexer = new Reindexer({
    ...{ stores, catalog, ledger, supervisor, appender, trouble, settings: config.pipeline },
    ...(options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs }),
    openTools: (signal) =>
      openProcessingTools(
        {
          ...{ config, client, demand, createProcessor },
          onTrouble: (error) => trouble.report("reindex", error),
          onRecovered: () => trouble.clear("reindex"),
        },
        signal,
      ),
  });
  const reconciler = new Reconciler({
    ...{ stores, catalog, supervisor, appender, group: config.pipeline.group },
    ...(options.reconcilePauseMs === undefined ? {} : { pauseMs: options.reconcilePauseMs }),
  });
  const server = await startRpcServer({
    address: config.listen,
    config: config.rpc,
    tls,
    definition: IngestServiceDefinition,
    implementation: new IngestHandlers({
      ...{
        stores,
        catalog,
        ledger,
        supervisor,
        reindexer,
        reconciler,
        metrics,
        group: config.pipeline.group,
      },
      push: {
        ...{ blobs: stores.blobs, appender, clock: new VersionClock(), pushed: metrics.pushed },
        uploads: new Uploads(stores.blobs, uploadTokens, config.push.maxDocumentBytes),
        maxDocumentBytes: config.push.maxDocumentBytes,
      },
      indexedSinceStart: () => indexedSinceStart,
    }),
    further: [loadService({ embedding: demand })],
    telemetry,
    checkReadiness: async () => {
      await checkStores(stores);
      supervisor.checkAvailable();
    },
  });

  const close = async (graceMs: number) => {
    await Promise.all([server.close(graceMs * pipelineShare), supervisor.close(graceMs * pipelineShare)]);
    await appender.close();
    await gate.close();
    await sweeper.close();
    await uploads.close();
    await backupWatch.close();
    await catalog.close();
    client.close();
    tls?.close();
    await closeStores(stores);
  };
  let closing: Promise<void> | undefined;
  return {
    name: "ingest",
    address: server.address,
    metrics: telemetry.metrics,
    get notReady() {
      return server.notReady;
    },
    close(graceMs) {
      closing ??= close(graceMs);
      return closing;
    },
  };
}
