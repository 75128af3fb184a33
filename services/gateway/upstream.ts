import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { Interceptor, Transport } from "@connectrpc/connect";
import { createClient, decodeBinaryHeader } from "@connectrpc/connect";
import type { HeadwaterClient } from "@headwater/client";
import { createHeadwaterClient } from "@headwater/client";
import { Health, ServingStatus } from "@headwater/client/health";
import { createNodeTransport } from "@headwater/client/node";
import { HeadwaterError, status } from "@headwater/errors";
import { EmbeddingDemand } from "@headwater/load";
import { AgentService } from "@headwater/proto/connect/headwater/v1/agent";
import { ConversationService } from "@headwater/proto/connect/headwater/v1/conversation";
import { FeedbackService } from "@headwater/proto/connect/headwater/v1/feedback";
import { GenerationService } from "@headwater/proto/connect/headwater/v1/generation";
import { IngestService } from "@headwater/proto/connect/headwater/v1/ingest";
import { JobService } from "@headwater/proto/connect/headwater/v1/job";
import { MemoryService } from "@headwater/proto/connect/headwater/v1/memory";
import { PromptService } from "@headwater/proto/connect/headwater/v1/prompt";
import { SearchService } from "@headwater/proto/connect/headwater/v1/search";
import type { Lookup, TlsIdentity } from "@headwater/rpc";
import { notReadyKey, openTls, readNotReady } from "@headwater/rpc";
import type { Telemetry } from "@headwater/telemetry";
import type { ServiceTransport } from "./balancing/service-transport.ts";
import { openServiceTransport } from "./balancing/service-transport.ts";
import { createUpstreamMetrics } from "./balancing/upstream-metrics.ts";
import { traceCalls } from "./call-tracing.ts";
import type { GatewayConfig } from "./config.ts";
import { hostOf } from "./config.ts";
import type { Embedder } from "./embedding.ts";
import { createEmbedder } from "./embedding.ts";
import { toHeadwaterError } from "./http-error.ts";

/** The services behind the gateway, where each is found, and the gRPC services that it serves. */
export const services = [
  { name: "ingest", types: [IngestService], address: "ingestAddress" },
  { name: "search", types: [SearchService], address: "searchAddress" },
  {
    name: "generation",
    types: [
      GenerationService,
      ConversationService,
      AgentService,
      PromptService,
      FeedbackService,
      MemoryService,
      JobService,
    ],
    address: "generationAddress",
  },
] as const satisfies readonly {
  name: string;
  types: readonly DescService[];
  address: keyof GatewayConfig;
}[];

/** A service is asked for its health once in so many milliseconds at most, however many probes come. */
const healthAgeMs = 500;
const healthTimeoutMs = 2000;

/** The services behind the gateway. */
export interface Upstream {
  /** Carries each call to the service that it belongs to. */
  readonly transport: Transport;
  readonly client: HeadwaterClient;
  readonly embedder: Embedder;
  /**
   * Costs less than a call that is refused on its way: before anything of the request is read.
   *
   * @throws HeadwaterError what a call of the method would be refused with, as all servers of its service have just done
   */
  refuseWhereFull(method: DescMethod): void;
  /** What waits here for the embedding-worker. */
  readonly demand: EmbeddingDemand;
  /** Who the gateway is among the services; undefined where they speak plain text. */
  readonly tls: TlsIdentity | undefined;
  /** Asks each service for its health. Never throws. */
  health(): Promise<ServiceHealth[]>;
  close(): void;
}

export interface ServiceHealth {
  readonly service: string;
  /** Why it takes no calls; undefined while it does. */
  readonly problem: HeadwaterError | undefined;
  /** False: the gateway is ready without it too, and calls that need it are refused meanwhile. */
  readonly needed: boolean;
}

/**
 * @param lookup of host names; default: the system's
 * @throws HeadwaterError HW_TLS_… where the certificate cannot be used
 */
export function connectUpstream(config: GatewayConfig, telemetry: Telemetry, lookup?: Lookup): Upstream {
  const tls = openTls(config.tls, telemetry);
  const interceptors: Interceptor[] = [traceCalls(telemetry.tracer)];
  const metrics = createUpstreamMetrics(telemetry.metrics);
  const open = (name: string, target: string) => {
    // The certificate of each server bears the name by which all of them are called.
    const serverName = hostOf(target).replace(/^\[|\]$/g, "");
    const connect = tls && ((host: string, port: number) => tls.connect({ host, port }, serverName));
    const transport = openServiceTransport({
      ...{ target, lookup, maxActive: config.maxActive, resolveIntervalMs: config.rpc.resolveIntervalMs },
      connect: (address) =>
        createNodeTransport({ address, interceptors, repeatUnseen: false, ...(connect ? { connect } : {}) }),
      problem: () => tls?.problem(serverName),
      onRepeat: (method) => metrics.repeated.inc({ service: name, method }),
    });
    metrics.watch(name, () => transport.servers);
    return transport;
  };
  const opened = services.map(({ name, types, address }) => ({
    name,
    types: new Set(types.map(({ typeName }): string => typeName)),
    transport: open(name, config[address]),
  }));
  // Nobody outside may call it as it is: search and ingest have the first claim on the models.
  const embedding = open("embedding-worker", config.embeddingAddress);
  const demand = new EmbeddingDemand();
  const transportOf = (type: string): ServiceTransport => {
    const found = opened.find(({ types }) => types.has(type));
    if (!found) throw new TypeError(`no service answers ${type}`);
    return found.transport;
  };
  const transport: Transport = {
    unary: (method, ...rest) => transportOf(method.parent.typeName).unary(method, ...rest),
    stream: (method, ...rest) => transportOf(method.parent.typeName).stream(method, ...rest),
  };

  const ask = async (service: (typeof opened)[number]): Promise<ServiceHealth> => ({
    ...{ service: service.name, needed: !config.readyWithout.includes(service.name) },
    problem: await findProblem(service),
  });
  let told: { readonly refusal: unknown; readonly error: HeadwaterError } | undefined;
  let asked: { at: number; answer: Promise<ServiceHealth[]> } | undefined;
  return {
    transport,
    // The transport itself goes on elsewhere.
    client: createHeadwaterClient({ transport, reconnects: 0 }),
    embedder: createEmbedder(embedding, demand),
    refuseWhereFull(method) {
      const refusal = transportOf(method.parent.typeName).refusal(method);
      if (refusal === undefined) return;
      // Hundreds of requests a second are refused with the same: putting it into our words costs a quarter of each.
      if (told?.refusal !== refusal) told = { refusal, error: toHeadwaterError(refusal) };
      throw told.error;
    },
    ...{ demand, tls },
    health() {
      if (!asked || performance.now() - asked.at > healthAgeMs) {
        asked = { at: performance.now(), answer: Promise.all(opened.map(ask)) };
      }
      return asked.answer;
    },
    close() {
      for (const { transport: each } of opened) each.close();
      embedding.close();
      tls?.close();
    },
  };
}

async function findProblem(service: {
  readonly name: string;
  readonly transport: Transport;
}): Promise<HeadwaterError | undefined> {
  try {
    const health = createClient(Health, service.transport);
    let why: HeadwaterError | undefined;
    const onTrailer = (trailer: Headers) => {
      const encoded = trailer.get(notReadyKey);
      if (encoded !== null) why = readNotReady(decodeBinaryHeader(encoded));
    };
    const { status: state } = await health.check({ service: "" }, { timeoutMs: healthTimeoutMs, onTrailer });
    if (state === ServingStatus.SERVING) return undefined;
    return why ?? notReady(service.name, "says that it is not ready");
  } catch (thrown) {
    const cause = toHeadwaterError(thrown);
    if (cause.reason.startsWith("HW_TLS_")) return cause;
    return notReady(service.name, "does not answer", cause);
  }
}

function notReady(name: string, what: string, cause?: unknown): HeadwaterError {
  return new HeadwaterError({
    code: status.UNAVAILABLE,
    reason: "HW_SERVICE_NOT_READY",
    message: `The ${name} service ${what}.`,
    action: `Look at the log of ${name}; the gateway goes on by itself once it is ready.`,
    cause,
  });
}
