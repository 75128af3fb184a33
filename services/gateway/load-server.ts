import type { HeadwaterError } from "@headwater/errors";
import type { EmbeddingDemand, Meter } from "@headwater/load";
import { loadService } from "@headwater/load";
import type { ConnectionLoad } from "@headwater/proto/services/headwater/v1/load";
import type { RpcServer, TlsIdentity } from "@headwater/rpc";
import { startRpcServer } from "@headwater/rpc";
import type { Telemetry } from "@headwater/telemetry";
import type { SharedPort } from "./shared-port.ts";

export interface LoadServerOptions {
  /** host:port. */
  readonly address: string;
  readonly port: SharedPort;
  readonly demand: EmbeddingDemand;
  readonly telemetry: Telemetry;
  /** Undefined: plain text. */
  readonly tls: TlsIdentity | undefined;
  /** Why the gateway is not ready; undefined while it is. */
  readonly notReady: () => HeadwaterError | undefined;
}

/**
 * A gRPC server of its own for the scaler: what the gateway carries is none of the business of those who come in by
 * its other port.
 */
export function startLoadServer(options: LoadServerOptions): Promise<RpcServer> {
  const { address, port, demand, telemetry, tls, notReady } = options;
  return startRpcServer({
    ...loadService({ connections: meterConnections(port), embedding: demand }),
    ...{ address, telemetry, tls },
    async checkReadiness() {
      const reason = notReady();
      if (reason) throw reason;
    },
  });
}

function meterConnections(port: SharedPort): Meter<ConnectionLoad> {
  let lastBusyAt = performance.now();
  return {
    get load() {
      return { open: port.connections };
    },
    get lastBusyAt() {
      if (port.connections > 0) lastBusyAt = performance.now();
      return lastBusyAt;
    },
  };
}
