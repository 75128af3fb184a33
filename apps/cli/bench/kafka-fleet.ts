import { join } from "node:path";
import { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import type { RpcClient } from "@headwater/rpc";
import { createRpcClient } from "@headwater/rpc";
import { ServiceProcess } from "../stack/service-process.ts";

const fakeWorker = new URL("./kafka-fake-worker.ts", import.meta.url);

export interface FleetOptions {
  readonly ingests: number;
  readonly workers: number;
  /** "real", or milliseconds that a passage waits in a worker that computes nothing. */
  readonly model: "real" | number;
  /** Where the stores are. */
  readonly environment: Readonly<Record<string, string>>;
  /** Of what the processes keep for themselves. */
  readonly folder: string;
}

/** Some processes of ingest and of the embedding-worker, on the same servers. */
export interface Fleet {
  /** Of any of the ingests: they tell the same. */
  readonly client: RpcClient<IngestServiceDefinition>;
  /** Of the first embedding-worker. */
  readonly workerAddress: string;
  readonly ingestPids: readonly number[];
  readonly workerPids: readonly number[];
  stop(): Promise<void>;
}

/** An ingest has one worker for as long as its stream lives; they are dealt out in turns, as a balancer would. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { ingests, workers, model, environment, folder } = options;
  await using resources = new AsyncDisposableStack();
  const started: { workers: ServiceProcess[]; ingests: ServiceProcess[] } = { workers: [], ingests: [] };
  for (let index = 0; index < workers; index += 1) {
    const own = {
      HEADWATER_EMBEDDING_LISTEN: "127.0.0.1:0",
      HEADWATER_DATA_DIR: join(folder, `worker-${index}`),
    };
    const worker = await (model === "real"
      ? ServiceProcess.start("embedding-worker", own)
      : ServiceProcess.start(fakeWorker, {}, [String(model)]));
    resources.defer(() => worker.stop());
    started.workers.push(worker);
  }
  for (let index = 0; index < ingests; index += 1) {
    const ingest = await ServiceProcess.start("ingest", {
      ...environment,
      HEADWATER_INGEST_LISTEN: "127.0.0.1:0",
      HEADWATER_DATA_DIR: join(folder, `ingest-${index}`),
      HEADWATER_EMBEDDING_ADDRESS: started.workers[index % workers]?.address ?? "",
    });
    resources.defer(() => ingest.stop());
    started.ingests.push(ingest);
  }
  const client = createRpcClient(IngestServiceDefinition, started.ingests[0]?.address ?? "");
  resources.defer(() => client.close());
  const running = resources.move();
  return {
    client,
    workerAddress: started.workers[0]?.address ?? "",
    ingestPids: started.ingests.map(({ pid }) => pid),
    workerPids: started.workers.map(({ pid }) => pid),
    stop: () => running.disposeAsync(),
  };
}
