import type { HeadwaterError } from "@headwater/errors";
import type { EmbeddingDemand } from "@headwater/load";
import type { IndexFingerprint } from "@headwater/passage-index";
import type { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import type { RpcClient } from "@headwater/rpc";
import type { IngestConfig } from "../config.ts";
import { Embedder } from "../embedding/embedder.ts";
import type { EmbeddingModel } from "../embedding/embedding-model.ts";
import { describeFingerprint, describeModel } from "../embedding/embedding-model.ts";
import type { DocumentProcessor, ProcessorOptions } from "../processor/document-processor.ts";
import { fingerprintMismatch } from "./fingerprint.ts";

export type CreateProcessor = (options: ProcessorOptions) => Promise<DocumentProcessor>;

/** What turns originals into passages with vectors, all of one model and one chunking. */
export interface ProcessingTools {
  readonly model: EmbeddingModel;
  readonly processor: DocumentProcessor;
  readonly embedder: Embedder;
  readonly fingerprint: IndexFingerprint;
  close(): Promise<void>;
}

export interface ToolsOptions {
  readonly config: IngestConfig;
  readonly client: RpcClient<EmbeddingServiceDefinition>;
  readonly demand: EmbeddingDemand;
  readonly createProcessor: CreateProcessor;
  readonly onTrouble: (error: HeadwaterError) => void;
  readonly onRecovered: () => void;
}

/** @throws HeadwaterError UNAVAILABLE while the embedding-worker is not there */
export async function openProcessingTools(
  options: ToolsOptions,
  signal: AbortSignal,
): Promise<ProcessingTools> {
  const { config, client } = options;
  const model = await describeModel(client, signal);
  const processor = await options.createProcessor({
    tokenizerJson: model.tokenizerJson,
    maxTokens: model.maxTokens,
    chunking: config.chunking,
    limits: config.limits,
  });
  const fingerprint = { model: model.fingerprint, chunking: processor.fingerprint };
  const embedder = new Embedder({
    client,
    demand: options.demand,
    batch: config.pipeline.embedBatch,
    maxRequests: config.pipeline.embedRequests,
    dimensions: model.dimensions,
    onTrouble: options.onTrouble,
    onRecovered: options.onRecovered,
    // A worker that comes back with another model must not add its vectors to these.
    checkWorker: async (worker, streaming) => {
      const now = { model: await describeFingerprint(worker, streaming), chunking: fingerprint.chunking };
      if (now.model !== fingerprint.model) throw fingerprintMismatch(fingerprint, now);
    },
  });
  return {
    model,
    processor,
    embedder,
    fingerprint,
    async close() {
      await embedder.close();
      await processor.close();
    },
  };
}
