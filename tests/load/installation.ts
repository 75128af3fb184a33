import { ownEnvironment, startHeadwater } from "@headwater/cli/headwater-process";
import { ServiceProcess } from "@headwater/cli/service-process";
import { useRealServers } from "../support/real-servers.ts";
import type { ServiceName } from "../support/test-stack.ts";
import { prefer } from "./priority.ts";

/** What is put under load. */
export interface Installation {
  readonly name: string;
  /** host:port. */
  readonly gateway: string;
  /** Of the processes that are Headwater's own. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** `headwater up`: all services in one process, on the embedded stores. */
export async function startEmbedded(
  folder: string,
  environment: Record<string, string> = {},
): Promise<Installation> {
  const process = await startHeadwater(folder, environment);
  return {
    name: "embedded, one process",
    gateway: process.address("gateway"),
    pids: [process.pid],
    async stop() {
      await process.stop();
    },
  };
}

/** Each service in a process of its own, on the servers that the environment names. */
export async function startOnRealServers(
  folder: string,
  environment: Record<string, string> = {},
): Promise<Installation> {
  await using resources = new AsyncDisposableStack();
  const servers = await useRealServers();
  resources.defer(() => servers.stop());
  const own = { ...ownEnvironment(folder), ...servers.environment, ...environment };
  const start = async (name: ServiceName, addresses = {}) => {
    const service = await ServiceProcess.start(name, { ...own, ...addresses });
    resources.defer(() => service.stop());
    return service;
  };
  const embedding = await start("embedding-worker");
  const HEADWATER_EMBEDDING_ADDRESS = embedding.address;
  const ingest = await start("ingest", { HEADWATER_EMBEDDING_ADDRESS });
  const search = await start("search", { HEADWATER_EMBEDDING_ADDRESS });
  const generation = await start("generation", {
    HEADWATER_EMBEDDING_ADDRESS,
    HEADWATER_SEARCH_ADDRESS: search.address,
  });
  const gateway = await start("gateway", {
    HEADWATER_INGEST_ADDRESS: ingest.address,
    HEADWATER_SEARCH_ADDRESS: search.address,
    HEADWATER_GENERATION_ADDRESS: generation.address,
  });
  prefer(gateway.pid);
  const processes = [embedding, ingest, search, generation, gateway];
  const started = resources.move();
  return {
    name: `five processes on ${servers.name}`,
    gateway: gateway.address,
    pids: processes.map(({ pid }) => pid),
    stop: () => started.disposeAsync(),
  };
}
