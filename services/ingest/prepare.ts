import { createDocumentLogTopics } from "@headwater/document-log";
import { HeadwaterError, status } from "@headwater/errors";
import { EmbeddingDemand } from "@headwater/load";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import { createRpcClient } from "@headwater/rpc";
import { Catalog } from "./catalog/catalog.ts";
import { GenerationLedger } from "./catalog/generation-ledger.ts";
import type { IngestConfig } from "./config.ts";
import { isSameFingerprint } from "./pipeline/fingerprint.ts";
import { openProcessingTools } from "./pipeline/processing-tools.ts";
import { servingGeneration } from "./pipeline/serving-generation.ts";
import { createDocumentProcessor } from "./processor/document-processor.ts";
import type { Stores } from "./stores.ts";
import { checkStores, closeStores, openStores } from "./stores.ts";
import { UploadTokens } from "./uploads/upload-token.ts";

/** Milliseconds for a connection to the embedding-worker. */
const connectTimeoutMs = 5000;

export interface PrepareOptions {
  /** False: the first start of ingest makes the indexes, and no embedding-worker has to run now. */
  readonly indexes: boolean;
  /** Ends the wait for the embedding-worker. */
  readonly signal: AbortSignal;
  /** Told what went wrong in the background and is tried again. */
  onError(thrown: unknown): void;
}

/** The generation of the indexes that serves. */
export interface PreparedIndexes {
  readonly generation: string;
  /** False: it was made with another model or chunking than the settings name, and waits for a reindex. */
  readonly current: boolean;
}

/**
 * Makes what ingest needs where it keeps things, and leaves what is there as it is: topics, bucket, database schema, and
 * both indexes with their aliases. For a job that runs before the services, with rights that they need not have; to
 * repeat it is harmless.
 *
 * @returns undefined without `indexes`
 * @throws HeadwaterError UNAVAILABLE where a server, or the embedding-worker that `indexes` asks, cannot be reached,
 *   FAILED_PRECONDITION where one refuses
 */
export async function prepareIngest(
  config: IngestConfig,
  options: PrepareOptions,
): Promise<PreparedIndexes | undefined> {
  const { indexes, onError } = options;
  const storeValues = { ...config.storeValues, HEADWATER_S3_CREATE_BUCKET: true };
  await createDocumentLogTopics(storeValues, { partitions: config.partitions });
  const stores = await openStores({ ...config, storeValues }, onError);
  try {
    const catalog = await Catalog.open(stores.records, onError);
    await catalog.close();
    await UploadTokens.open(stores.records);
    const prepared = indexes ? await prepareIndexes(config, stores, options) : undefined;
    await checkStores(stores);
    return prepared;
  } finally {
    await closeStores(stores);
  }
}

/** The embedding-worker says how many numbers a vector has, and which model the indexes are of. */
async function prepareIndexes(
  config: IngestConfig,
  { records, indexes }: Stores,
  { signal, onError }: PrepareOptions,
): Promise<PreparedIndexes> {
  const client = createRpcClient(EmbeddingServiceDefinition, config.embeddingAddress);
  try {
    await client.waitUntilConnected(connectTimeoutMs).catch((cause: unknown) => {
      throw workerUnavailable(config.embeddingAddress, cause);
    });
    const tools = await openProcessingTools(
      {
        ...{ config, client, demand: new EmbeddingDemand(), createProcessor: createDocumentProcessor },
        ...{ onTrouble: onError, onRecovered() {} },
      },
      signal,
    );
    try {
      const { generation, fingerprint } = await servingGeneration(
        new GenerationLedger(records),
        indexes,
        tools,
      );
      return { generation, current: isSameFingerprint(fingerprint, tools.fingerprint) };
    } finally {
      await tools.close();
    }
  } finally {
    client.close();
  }
}

function workerUnavailable(address: string, cause: unknown): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.UNAVAILABLE, reason: "HW_EMBEDDING_UNAVAILABLE", cause },
    message: `No embedding-worker answers at ${address}: the indexes are made for its model.`,
    action: "Start one there, or leave the indexes to the first start of ingest.",
  });
}
