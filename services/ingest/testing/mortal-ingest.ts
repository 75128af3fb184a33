import { EmbeddingDemand } from "@headwater/load";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import { createRpcClient } from "@headwater/rpc";
import { silentTelemetry } from "@headwater/telemetry";
import { Catalog } from "../catalog/catalog.ts";
import { GenerationLedger } from "../catalog/generation-ledger.ts";
import type { IngestConfig } from "../config.ts";
import { BlobSweeper } from "../documents/blob-sweeper.ts";
import { createIngestMetrics } from "../metrics.ts";
import { PipelineSupervisor } from "../pipeline/pipeline-supervisor.ts";
import { openProcessingTools } from "../pipeline/processing-tools.ts";
import { Trouble } from "../pipeline/trouble.ts";
import { BacklogGate } from "../push/backlog-gate.ts";
import { EventAppender } from "../push/event-appender.ts";
import { Reindexer } from "../reindex/reindexer.ts";
import type { Stores } from "../stores.ts";
import { LineProcessor } from "./line-processor.ts";
import type { Mortality } from "./mortality.ts";

/** Milliseconds; in a test whoever holds the lease is dead. */
const leaseMs = 150;

/** Of the reindex; small, so that a few documents are several. */
const pageSize = 5;

/** Ingest without its rpcs, as long as it lives. */
export interface MortalIngest {
  readonly reindexer: Reindexer;
  /** Lets go of what it holds in this process; again is harmless. */
  end(): Promise<void>;
}

export async function startMortal(
  stores: Stores,
  mortality: Mortality,
  config: IngestConfig,
): Promise<MortalIngest> {
  const telemetry = silentTelemetry("ingest");
  const mortal = mortality.stores(stores);
  const metrics = createIngestMetrics(telemetry.metrics);
  const trouble = new Trouble(telemetry.log, metrics);
  const client = createRpcClient(EmbeddingServiceDefinition, config.embeddingAddress);
  const demand = new EmbeddingDemand();
  const createProcessor = async () => new LineProcessor();
  const onError = () => {};
  const catalog = await Catalog.open(mortal.records, onError);
  const ledger = new GenerationLedger(mortal.records);
  const sweeper = new BlobSweeper({ catalog, blobs: mortal.blobs, onError });
  const supervisor = new PipelineSupervisor({
    ...{ config, telemetry, metrics, catalog, ledger, trouble, client, demand, createProcessor },
    stores: mortal,
    onSettled: () => sweeper.wake(),
  });
  const gate = new BacklogGate({
    ...{ log: mortal.log, group: config.pipeline.group, maxLag: config.push.maxLag, onError },
    onLag: () => {},
  });
  const appender = new EventAppender({ log: mortal.log, catalog, gate, onRetry: onError });
  const reindexer = new Reindexer({
    ...{ stores: mortal, catalog, ledger, supervisor, appender, trouble, leaseMs, pageSize },
    settings: config.pipeline,
    openTools: (signal) =>
      openProcessingTools(
        { config, client, demand, createProcessor, onTrouble: onError, onRecovered: onError },
        signal,
      ),
  });
  let ended = false;
  return {
    reindexer,
    async end() {
      if (ended) return;
      ended = true;
      await supervisor.close(0);
      await appender.close();
      await gate.close();
      await sweeper.close();
      client.close();
    },
  };
}
