import { setTimeout as delay } from "node:timers/promises";
import { HeadwaterError } from "@headwater/errors";
import { readDescriptors } from "@headwater/proto/descriptors";
import type { Telemetry } from "@headwater/telemetry";
import { isTracing } from "@headwater/telemetry";
import type { CompatServiceDefinition, ServiceImplementation } from "nice-grpc";
import { createServer } from "nice-grpc";
import type { ServerMiddleware } from "nice-grpc-common";
import { errorDetailsServerMiddleware } from "nice-grpc-error-details";
import { openTelemetryServerMiddleware } from "nice-grpc-opentelemetry";
import { HealthDefinition, HealthServiceImpl, HealthState } from "nice-grpc-server-health";
import { ServerReflection, ServerReflectionService } from "nice-grpc-server-reflection";
import { readinessMiddleware } from "./readiness-trailer.ts";
import type { RpcContext } from "./server-middleware.ts";
import { callMiddleware, terminateMiddleware } from "./server-middleware.ts";
import type { RpcConfig } from "./settings.ts";
import { refuseMarked } from "./tls/allowed-clients.ts";
import { listenWatched } from "./tls/handshakes.ts";
import { IdentityServerCredentials } from "./tls/server-credentials.ts";
import type { TlsIdentity } from "./tls/tls-identity.ts";
import { decodingAnything, refuseUnreadable } from "./unreadable-request.ts";

const openTelemetry = openTelemetryServerMiddleware();

/**
 * Probes and reflection come all the time and are nobody's request. The middleware makes an event of each message, also
 * where spans go nowhere: of an answer that is streamed a twentieth of its cost.
 */
const traceCalls: ServerMiddleware = (call, context) =>
  !isTracing() || call.method.path.startsWith("/grpc.")
    ? call.next(call.request, context)
    : openTelemetry(call, context);

/** Largest message in bytes, both ways: a document piece of 1 MiB and 512 passages fit. */
export const maxMessageBytes = 16 * 1024 * 1024;

/** Name under which `grpc.health.v1` answers for the process alone, whatever it depends on. */
export const livenessService = "liveness";

const readinessIntervalMs = 2000;

/** A gRPC service and what answers its calls. */
export interface ServedService {
  readonly definition: CompatServiceDefinition;
  readonly implementation: ServiceImplementation<CompatServiceDefinition, RpcContext>;
}

/** Pairs a definition with an implementation of its own type. */
export function servedService<Service extends CompatServiceDefinition>(
  definition: Service,
  implementation: ServiceImplementation<Service, RpcContext>,
): ServedService {
  return { definition, implementation: implementation as ServedService["implementation"] };
}

export interface RpcServerOptions<Service extends CompatServiceDefinition> {
  /** host:port; port 0 lets the system choose. */
  readonly address: string;
  /** Default: connections live for ever. */
  readonly config?: Pick<RpcConfig, "maxConnectionAgeMs" | "maxConnectionAgeGraceMs">;
  /** Default: plain text. */
  readonly tls?: TlsIdentity | undefined;
  readonly definition: Service;
  readonly implementation: ServiceImplementation<Service, RpcContext>;
  /** Further gRPC services of the same process, on the same port. */
  readonly further?: readonly ServedService[];
  readonly telemetry: Telemetry;
  /** Throws while something that the service needs is missing; asked every two seconds. */
  readonly checkReadiness: () => Promise<void>;
}

/** A gRPC server with health, reflection, request ids, metrics, traces and the error mapping. */
export interface RpcServer {
  /** host:port that it listens on. */
  readonly address: string;
  /** Why it is not ready; undefined while it is. */
  readonly notReady: HeadwaterError | undefined;
  /**
   * Stops: new calls are refused, calls under way get `graceMs` to end, endless streams are ended at once, the rest
   * is cut.
   */
  close(graceMs?: number): Promise<void>;
}

export async function startRpcServer<Service extends CompatServiceDefinition>(
  options: RpcServerOptions<Service>,
): Promise<RpcServer> {
  const { telemetry, definition, implementation, further = [], tls } = options;
  const draining = new AbortController();
  let notReady: HeadwaterError | undefined;
  const server = createServer({
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.max_send_message_length": maxMessageBytes,
    ...ageOptions(options.config),
  })
    .use(traceCalls)
    .use(errorDetailsServerMiddleware)
    .use(callMiddleware(telemetry))
    .use(refuseMarked)
    .use(readinessMiddleware(() => notReady))
    .use(refuseUnreadable)
    .use(terminateMiddleware(draining.signal));

  const health = HealthState();
  const served = [servedService(definition, implementation), ...further];
  const fullNames = served.map((service) => serviceName(service.definition));
  for (const service of served) server.add(decodingAnything(service.definition), service.implementation);
  server.add(HealthDefinition, HealthServiceImpl(health));
  server.add(ServerReflectionService, ServerReflection(readDescriptors(), fullNames));

  let listening = false;
  const checkReadiness = async () => {
    try {
      await options.checkReadiness();
      if (notReady) telemetry.log.info("ready");
      notReady = undefined;
    } catch (thrown) {
      const error = HeadwaterError.from(thrown);
      // A service that has just started waits for its neighbours as a matter of course.
      const level = listening ? "warn" : "info";
      if (notReady?.reason !== error.reason) telemetry.log[level]({ err: error }, "not ready");
      notReady = error;
    }
    setHealth(notReady ? "unhealthy" : "healthy");
  };
  const setHealth = (state: "healthy" | "unhealthy") => {
    health.setStatus(state);
    for (const fullName of fullNames) health.setStatus(state, fullName);
  };

  health.setStatus("healthy", livenessService);
  await checkReadiness();
  const credentials = tls && new IdentityServerCredentials(tls);
  const listen = () => server.listen(options.address, credentials);
  const port = await (tls ? listenWatched(tls, listen) : listen());
  listening = true;
  const timer = setInterval(() => void checkReadiness(), readinessIntervalMs);
  const address = `${options.address.slice(0, options.address.lastIndexOf(":"))}:${port}`;
  telemetry.log.info({ address, tls: tls !== undefined }, "listening");

  let closing: Promise<void> | undefined;
  const close = async (graceMs: number) => {
    clearInterval(timer);
    setHealth("unhealthy");
    draining.abort();
    const ended = server.shutdown();
    const waited = new AbortController();
    const cut = delay(graceMs, undefined, { signal: waited.signal }).then(
      () => server.forceShutdown(),
      () => {},
    );
    await Promise.race([ended, cut]);
    credentials?.close();
    waited.abort();
    await cut;
  };

  return {
    address,
    get notReady() {
      return notReady;
    },
    close(graceMs = 5000) {
      closing ??= close(graceMs);
      return closing;
    },
  };
}

function ageOptions(config: RpcServerOptions<CompatServiceDefinition>["config"]) {
  if (!config || config.maxConnectionAgeMs === 0) return {};
  const { maxConnectionAgeMs: age, maxConnectionAgeGraceMs: grace } = config;
  return {
    "grpc.max_connection_age_ms": age,
    ...(grace === 0 ? {} : { "grpc.max_connection_age_grace_ms": grace }),
  };
}

function serviceName(definition: CompatServiceDefinition): string {
  if ("fullName" in definition && typeof definition.fullName === "string") return definition.fullName;
  throw new TypeError("the service definition has no full name");
}
