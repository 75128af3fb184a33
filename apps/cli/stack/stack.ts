import { startEmbeddingWorker } from "@headwater/embedding-worker";
import { readEmbeddingWorkerConfig } from "@headwater/embedding-worker/config";
import { HeadwaterError, status } from "@headwater/errors";
import { startGateway } from "@headwater/gateway";
import { readGatewayConfig } from "@headwater/gateway/config";
import { startGeneration } from "@headwater/generation";
import { readGenerationConfig } from "@headwater/generation/config";
import { startIngest } from "@headwater/ingest";
import { readIngestConfig } from "@headwater/ingest/config";
import { startSearch } from "@headwater/search";
import { readSearchConfig } from "@headwater/search/config";
import type { RunningService } from "@headwater/service";
import { spareGarbageCollection } from "@headwater/service";
import type { Environment } from "@headwater/settings";
import type { LogLevel } from "@headwater/telemetry";
import { createTelemetry } from "@headwater/telemetry";

/** The order in which services start to listen and, backwards, stop: callers stop before those whom they call. */
export const serviceNames = ["embedding-worker", "ingest", "search", "generation", "gateway"] as const;
export type ServiceName = (typeof serviceNames)[number];

/** The five services in one process, speaking gRPC with each other over loopback as they do in a cluster. */
export interface Stack {
  readonly services: readonly RunningService[];
  /** host:port of a service. */
  address(name: ServiceName): string;
  /** @param graceMs for all services together */
  close(graceMs: number): Promise<void>;
}

type Starter = (environment: Environment, logLevel: LogLevel) => () => Promise<RunningService>;

const starters: Readonly<Record<ServiceName, Starter>> = {
  "embedding-worker": (environment, logLevel) => {
    const config = readEmbeddingWorkerConfig(environment);
    return () => startEmbeddingWorker(config, createTelemetry("embedding-worker", { logLevel }));
  },
  ingest: (environment, logLevel) => {
    const config = readIngestConfig(environment);
    return () => startIngest(config, createTelemetry("ingest", { logLevel }));
  },
  search: (environment, logLevel) => {
    const config = readSearchConfig(environment);
    return () => startSearch(config, createTelemetry("search", { logLevel }));
  },
  generation: (environment, logLevel) => {
    const config = readGenerationConfig(environment);
    return () => startGeneration(config, createTelemetry("generation", { logLevel }));
  },
  gateway: (environment, logLevel) => {
    const config = readGatewayConfig(environment);
    return () => startGateway(config, createTelemetry("gateway", { logLevel }));
  },
};

/** Environment variable that tells the others where a service listens. */
const addressVariables: Readonly<Record<ServiceName, string>> = {
  "embedding-worker": "HEADWATER_EMBEDDING_ADDRESS",
  ingest: "HEADWATER_INGEST_ADDRESS",
  search: "HEADWATER_SEARCH_ADDRESS",
  generation: "HEADWATER_GENERATION_ADDRESS",
  gateway: "HEADWATER_GATEWAY_ADDRESS",
};

/**
 * Starts services one after the other, telling each where those before it listen, so that port 0 works for all.
 *
 * @param names some of `serviceNames`, in that order
 * @param onStart called before each service starts
 * @throws HeadwaterError; whatever had started is closed again
 */
export async function startStack(
  names: readonly ServiceName[],
  environment: Environment,
  logLevel: LogLevel,
  onStart: (name: ServiceName) => void = () => {},
): Promise<Stack> {
  checkSettings(names, environment, logLevel);
  spareGarbageCollection();
  const services: RunningService[] = [];
  const known: Record<string, string | undefined> = { ...environment };
  const close = async (graceMs: number) => {
    const deadline = performance.now() + graceMs;
    const failures: unknown[] = [];
    for (const service of services.toReversed()) {
      // One that cannot close as it should must not keep the others, and so the process, from ending.
      await service
        .close(Math.max(100, deadline - performance.now()))
        .catch((thrown) => failures.push(thrown));
    }
    if (failures.length > 0) throw failures[0];
  };
  try {
    for (const name of names) {
      onStart(name);
      const service = await starters[name](known, logLevel)();
      services.push(service);
      known[addressVariables[name]] = service.address;
    }
  } catch (thrown) {
    await close(1000);
    throw thrown;
  }
  return {
    services,
    address: (name) => {
      const service = services[names.indexOf(name)];
      if (!service) throw new RangeError(`${name} is not part of this stack`);
      return service.address;
    },
    close,
  };
}

/** Reads the settings of all services before any starts, so that every mistake is told at once. */
function checkSettings(names: readonly ServiceName[], environment: Environment, logLevel: LogLevel): void {
  const mistakes = new Set<string>();
  for (const name of names) {
    try {
      starters[name](environment, logLevel);
    } catch (thrown) {
      const error = HeadwaterError.from(thrown);
      if (error.reason !== "HW_SETTINGS_INVALID") throw error;
      for (const line of error.message.split("\n").slice(1)) mistakes.add(line);
    }
  }
  if (mistakes.size === 0) return;
  throw new HeadwaterError({
    code: status.FAILED_PRECONDITION,
    reason: "HW_SETTINGS_INVALID",
    message: `Not valid in the settings:\n${[...mistakes].join("\n")}`,
    action: "Correct the environment variables named above and start again.",
  });
}
