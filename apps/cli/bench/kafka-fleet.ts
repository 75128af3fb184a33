import { join } from "node:path";
import { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import type { RpcClient } from "@headwater/rpc";
import { createRpcClient } from "@headwater/rpc";
import { ServiceProcess } from "../stack/service-process.ts";

const fakeWorker = new URL("./kafka-fake-worker.ts", import.meta.url);
const workerName = new URL("./kafka-worker-name.ts", import.meta.url);
/** Leads to all workers. */
const nameOfAll = "workers.bench";

export interface FleetOptions {
  readonly ingests: number;
  readonly workers: number;
  /** "real", or milliseconds that a passage waits in a worker that computes nothing. */
  readonly model: "real" | number;
  /** Cores for the model of each worker; undefined: all. */
  readonly threads: number | undefined;
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

/** Each ingest knows all workers by one name, as in a cluster: they are on one port of several loopback addresses. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { ingests, workers, model, threads, environment, folder } = options;
  await using resources = new AsyncDisposableStack();
  const started: { workers: ServiceProcess[]; ingests: ServiceProcess[] } = { workers: [], ingests: [] };
  const hosts = Array.from({ length: workers }, (_, index) => `127.0.0.${index + 2}`);
  let port = "0";
  for (const [index, host] of hosts.entries()) {
    const own = {
      HEADWATER_EMBEDDING_LISTEN: `${host}:${port}`,
      HEADWATER_DATA_DIR: join(folder, `worker-${index}`),
      ...(threads === undefined ? {} : { HEADWATER_EMBEDDING_THREADS: String(threads) }),
    };
    const worker = await (model === "real"
      ? ServiceProcess.start("embedding-worker", own)
      : ServiceProcess.start(fakeWorker, {}, [`${host}:${port}`, String(model)]));
    resources.defer(() => worker.stop());
    started.workers.push(worker);
    port = worker.address.slice(worker.address.lastIndexOf(":") + 1);
  }
  for (let index = 0; index < ingests; index += 1) {
    const ingest = await ServiceProcess.start("ingest", {
      ...environment,
      HEADWATER_INGEST_LISTEN: "127.0.0.1:0",
      HEADWATER_DATA_DIR: join(folder, `ingest-${index}`),
      HEADWATER_EMBEDDING_ADDRESS: `${nameOfAll}:${port}`,
      HEADWATER_BENCH_NAME: nameOfAll,
      HEADWATER_BENCH_HOSTS: hosts.join(),
      NODE_OPTIONS: `--import=${workerName.href}`,
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
