import { isTracing, requestContext } from "@headwater/telemetry";
import type { Client, CompatServiceDefinition } from "nice-grpc";
import { createChannel, createClientFactory, Metadata, waitForChannelReady } from "nice-grpc";
import type { DeadlineOptions } from "nice-grpc-client-middleware-deadline";
import { deadlineMiddleware } from "nice-grpc-client-middleware-deadline";
import type { ClientMiddleware } from "nice-grpc-common";
import { errorDetailsClientMiddleware } from "nice-grpc-error-details";
import { openTelemetryClientMiddleware } from "nice-grpc-opentelemetry";
import type { Lookup } from "./address-watch.ts";
import { AddressWatch } from "./address-watch.ts";
import { errorClientMiddleware } from "./error-mapping.ts";
import { PlainChannelCredentials } from "./plain-credentials.ts";
import { repeatMiddleware } from "./repeat-middleware.ts";
import { maxMessageBytes } from "./server.ts";
import { requestIdKey } from "./server-middleware.ts";
import type { RpcConfig } from "./settings.ts";
import { IdentityChannelCredentials } from "./tls/channel-credentials.ts";
import { explainConnection } from "./tls/explain-connection.ts";
import type { TlsIdentity } from "./tls/tls-identity.ts";
import { openTarget } from "./watched-resolver.ts";

/** A client of one service; its channel is its own. Calls take `deadline` (milliseconds or Date) and `signal`. */
export interface RpcClient<Service extends CompatServiceDefinition> {
  readonly call: Client<Service, DeadlineOptions>;
  /** Resolves once connected. @throws where that takes longer than `timeoutMs` */
  waitUntilConnected(timeoutMs: number): Promise<void>;
  /**
   * For long streams that are to be spread over all servers: `serve` is given a client of each one alone, now and as
   * they come, which it closes. `gone` fires when the name does not lead there any more, or nobody listens.
   *
   * @param missing told why the name leads nowhere
   * @returns ends it
   */
  forEachServer(
    serve: (server: RpcClient<Service>, gone: AbortSignal) => void,
    missing: (failure: unknown) => void,
  ): () => void;
  close(): void;
}

const openTelemetry = openTelemetryClientMiddleware();

/** As for the server: nothing is made of a call where spans go nowhere. */
const traceCalls: ClientMiddleware = (call, options) =>
  isTracing() ? openTelemetry(call, options) : call.next(call.request, options);

/** Sends the id of the request on whose behalf a call is made. */
const requestIdMiddleware: ClientMiddleware = async function* sendRequestId(call, options) {
  const requestId = requestContext()?.requestId;
  if (requestId === undefined) return yield* call.next(call.request, options);
  const metadata = Metadata(options.metadata).set(requestIdKey, requestId);
  return yield* call.next(call.request, { ...options, metadata });
};

/** Where nothing else is said: as the setting's own default. */
const resolveIntervalMs = 5000;

export interface RpcClientOptions {
  readonly config?: Pick<RpcConfig, "resolveIntervalMs">;
  /** Default: the system's. */
  readonly lookup?: Lookup;
  /** Default: plain text. */
  readonly tls?: TlsIdentity | undefined;
  /** Name that the server's certificate has to bear. Default: the host of the address. */
  readonly serverName?: string | undefined;
}

/**
 * Calls go to all addresses of a name in turn, and to new ones as soon as they are known. A call without side effects
 * that finds nobody, or whose server goes before it has said anything, is made again elsewhere.
 *
 * @param address host:port; the host may have many addresses, as a headless service has
 * @throws (from calls) HeadwaterError, with the reason that the service gave
 */
export function createRpcClient<Service extends CompatServiceDefinition>(
  definition: Service,
  address: string,
  { config, lookup, tls, serverName = hostOf(address) }: RpcClientOptions = {},
): RpcClient<Service> {
  const watch = new AddressWatch(address, {
    intervalMs: config?.resolveIntervalMs ?? resolveIntervalMs,
    ...(lookup ? { lookup } : {}),
  });
  const opened = openTarget(watch);
  const credentials = tls ? new IdentityChannelCredentials(tls, serverName) : new PlainChannelCredentials();
  const channel = createChannel(opened.target, credentials, {
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.max_send_message_length": maxMessageBytes,
    "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
    // A restarted service is found again within a second rather than gRPC's default of up to two minutes.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1000,
  });
  // The middleware attached last sees a call first and its error last: also a deadline comes out as a HeadwaterError.
  const call = createClientFactory()
    .use(traceCalls)
    .use(requestIdMiddleware)
    .use(errorDetailsClientMiddleware)
    .use(deadlineMiddleware)
    .use(explainConnection(tls, serverName))
    .use(errorClientMiddleware)
    .use(repeatMiddleware())
    .create(definition, channel);
  return {
    call: call as Client<Service, DeadlineOptions>,
    waitUntilConnected: (timeoutMs) => waitForChannelReady(channel, new Date(Date.now() + timeoutMs)),
    forEachServer(serve, missing) {
      const servers = new Map<string, AbortController>();
      const update = (addresses: readonly string[], failure?: unknown) => {
        if (addresses.length === 0) missing(failure);
        for (const [at, gone] of servers) {
          if (addresses.includes(at)) continue;
          servers.delete(at);
          gone.abort();
        }
        for (const at of addresses) {
          if (servers.has(at)) continue;
          const gone = new AbortController();
          servers.set(at, gone);
          serve(createRpcClient(definition, at, { tls, serverName }), gone.signal);
        }
      };
      const stop = watch.listen(update);
      if (watch.known.length > 0) update(watch.known);
      return () => {
        stop();
        for (const gone of servers.values()) gone.abort();
      };
    },
    close() {
      channel.close();
      opened.close();
    },
  };
}

/** Host of `host:port` and of `dns:///host:port`; of an IPv6 address without its brackets. */
function hostOf(address: string): string {
  const target = address.slice(address.lastIndexOf("/") + 1);
  return target.slice(0, target.lastIndexOf(":")).replace(/^\[|\]$/g, "");
}
