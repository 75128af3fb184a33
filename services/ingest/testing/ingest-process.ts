import type { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";
import { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import type { RpcClient } from "@headwater/rpc";
import { createRpcClient } from "@headwater/rpc";
import type { RunningService } from "@headwater/service";
import { silentTelemetry } from "@headwater/telemetry";
import { readIngestConfig } from "../config.ts";
import { startOnStores } from "../server.ts";
import type { Stores } from "../stores.ts";
import { eventually, streamOf } from "./ingest-harness.ts";
import { LineProcessor } from "./line-processor.ts";

/** Thousands of documents on a slow machine. */
const patienceMs = 60_000;

/** One of several processes of ingest, at the same time or one after another, on the same stores. */
export interface IngestProcess {
  readonly client: RpcClient<IngestServiceDefinition>;
  readonly service: RunningService;
  readonly processor: LineProcessor;
  /** Resolves when all of them are in the log. */
  push(documents: Readonly<Record<string, string>>, version?: number): Promise<void>;
  /** Waits until all that is in the log is done, by whichever process. */
  settled(): Promise<void>;
  state(id: string): Promise<DocumentState | undefined>;
  /** Leaves the stores open. */
  close(graceMs?: number): Promise<void>;
}

export interface IngestProcessOptions {
  readonly stores: Stores;
  /** Address of the embedding-worker. */
  readonly worker: string;
  /** Chunking that the documents are made with. */
  readonly chunking?: string;
  readonly processor?: LineProcessor;
  readonly leaseMs?: number;
}

export async function startProcess(options: IngestProcessOptions): Promise<IngestProcess> {
  const { stores, worker, chunking = "lines", leaseMs } = options;
  const processor = options.processor ?? new LineProcessor(chunking);
  const service = await startOnStores({
    config: readIngestConfig({
      HEADWATER_INGEST_LISTEN: "127.0.0.1:0",
      HEADWATER_EMBEDDING_ADDRESS: worker,
      HEADWATER_INGEST_INDEX_LINGER_MS: "5",
    }),
    stores: keepOpen(stores),
    telemetry: silentTelemetry("ingest"),
    createProcessor: async () => processor,
    ...(leaseMs === undefined ? {} : { leaseMs }),
  });
  const client = createRpcClient(IngestServiceDefinition, service.address);
  return {
    ...{ client, service, processor },
    async push(documents, version = 0) {
      const requests = Object.entries(documents).map(([id, text]) => ({
        part: { $case: "document" as const, value: { id, version, content: Buffer.from(text) } },
      }));
      for await (const { error } of client.call.push(streamOf(requests)))
        if (error) throw new Error(error.message);
    },
    settled: () =>
      eventually(
        "everything in the log is done",
        async () => (await client.call.getPipeline({})).partitions.every(isDone),
        patienceMs,
      ),
    state: async (id) => (await client.call.getDocument({ id })).document?.state,
    async close(graceMs = 2000) {
      client.close();
      await service.close(graceMs);
    },
  };
}

function isDone({ endOffset, committedOffset }: { endOffset: number; committedOffset: number }): boolean {
  return endOffset === committedOffset;
}

function keepOpen({ log, records, blobs, indexes }: Stores): Stores {
  const keep = <Store extends object>(store: Store): Store =>
    new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return name === "close" ? async () => {} : value.bind(target);
      },
    });
  return { log: keep(log), records: keep(records), blobs: keep(blobs), indexes: keep(indexes) };
}
