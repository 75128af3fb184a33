import { setTimeout as delay } from "node:timers/promises";
import { openEmbeddedBlobStore } from "@headwater/blob-store";
import type { PartitionLag } from "@headwater/document-log";
import { openSqliteDocumentLog } from "@headwater/document-log";
import type { Document, DocumentState, PushRequest } from "@headwater/proto/services/headwater/v1/ingest";
import { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import { openPgliteRecordStore } from "@headwater/record-store/embedded";
import type { RpcClient } from "@headwater/rpc";
import { createRpcClient } from "@headwater/rpc";
import type { RunningService } from "@headwater/service";
import { silentTelemetry } from "@headwater/telemetry";
import type { IngestConfig } from "../config.ts";
import { readIngestConfig } from "../config.ts";
import { startOnStores } from "../server.ts";
import type { Stores } from "../stores.ts";
import { FakeEmbeddingWorker } from "./fake-embedding-worker.ts";
import { LineProcessor } from "./line-processor.ts";
import { MemoryIndexStore } from "./memory-index.ts";

type Push = Partial<Extract<NonNullable<PushRequest["part"]>, { $case: "document" }>["value"]>;

/** The ingest service on real stores, but for the indexes, with a fake embedding-worker at the other end of gRPC. */
export interface IngestHarness {
  readonly client: RpcClient<IngestServiceDefinition>;
  readonly worker: FakeEmbeddingWorker;
  readonly processor: LineProcessor;
  readonly indexes: MemoryIndexStore;
  readonly stores: Stores;
  readonly service: RunningService;
  /** Pushes documents and returns their receipts. */
  push(
    ...documents: (Push & { text?: string })[]
  ): Promise<{ id: string; version: number; reason: string }[]>;
  /** Waits until all that is in the log is done. */
  settled(): Promise<void>;
  state(id: string, tenant?: string): Promise<Document>;
  close(): Promise<void>;
}

/** @param folder for the log and the blobs; records and indexes are in memory */
export async function startHarness(
  folder: string,
  environment: Record<string, string> = {},
  options: { startWorker?: boolean } = {},
): Promise<IngestHarness> {
  const worker = new FakeEmbeddingWorker();
  await worker.start();
  if (options.startWorker === false) await worker.stop();
  const config: IngestConfig = readIngestConfig({
    HEADWATER_DATA_DIR: folder,
    HEADWATER_INGEST_LISTEN: "127.0.0.1:0",
    HEADWATER_EMBEDDING_ADDRESS: worker.address,
    HEADWATER_INGEST_INDEX_LINGER_MS: "20",
    ...environment,
  });
  const indexes = new MemoryIndexStore();
  const stores = {
    log: await openSqliteDocumentLog({ folder: config.folders.log }),
    records: await openPgliteRecordStore({ folder: undefined, schema: "ingest" }),
    blobs: await openEmbeddedBlobStore({ folder: config.folders.blobs }),
    indexes,
  };
  const processor = new LineProcessor();
  const service = await startOnStores({
    ...{ config, stores },
    telemetry: silentTelemetry("ingest"),
    createProcessor: async () => processor,
    reconcilePauseMs: 0,
  });
  const client = createRpcClient(IngestServiceDefinition, service.address);
  return {
    ...{ client, worker, processor, indexes, stores, service },
    push: (...documents) => push(client, documents),
    settled: () => untilSettled(client),
    state: async (id, tenant = "") => {
      const { document } = await client.call.getDocument({ id, tenant });
      if (!document) throw new Error("no document");
      return document;
    },
    async close() {
      client.close();
      await service.close(2000);
      await worker.stop();
    },
  };
}

async function push(
  client: RpcClient<IngestServiceDefinition>,
  documents: readonly (Push & { text?: string })[],
): Promise<{ id: string; version: number; reason: string }[]> {
  const requests = documents.map(({ text, ...document }) => ({
    part: {
      $case: "document" as const,
      value: { ...document, ...(text === undefined ? {} : { content: Buffer.from(text) }) },
    },
  }));
  const receipts = [];
  for await (const { id, version, error } of client.call.push(streamOf(requests)))
    receipts.push({ id, version, reason: error?.reason ?? "" });
  return receipts;
}

export async function* streamOf<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

async function untilSettled(client: RpcClient<IngestServiceDefinition>): Promise<void> {
  await eventually("everything in the log is done", async () => {
    const { partitions } = await client.call.getPipeline({});
    return partitions.every(({ endOffset, committedOffset }: PartitionLag) => endOffset === committedOffset);
  });
}

/** @throws where it has not come true in time */
export async function eventually(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  patienceMs = 10_000,
): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error(`not within ${patienceMs} ms: ${what}`);
    await delay(10);
  }
}

/** States of one document as a watcher sees them, until it is settled. */
export async function statesOf(
  client: RpcClient<IngestServiceDefinition>,
  id: string,
  tenant = "",
): Promise<DocumentState[]> {
  const states: DocumentState[] = [];
  for await (const { document } of client.call.watch({ ids: [id], tenant, untilSettled: true }))
    if (document) states.push(document.state);
  return states;
}
