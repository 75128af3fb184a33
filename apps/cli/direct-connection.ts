import { readGatewayConfig } from "@headwater/gateway/config";
import type { Upstream } from "@headwater/gateway/upstream";
import { connectUpstream } from "@headwater/gateway/upstream";
import type { Environment } from "@headwater/settings";
import { silentTelemetry } from "@headwater/telemetry";

/** The services themselves, past the gateway. */
export interface Direct {
  readonly upstream: Upstream;
  /** host:port by the name of the service. */
  readonly addresses: Readonly<Record<string, string>>;
}

/** Where the settings say that services are, with the certificate of HEADWATER_TLS_DIR where that is set. */
export function connectDirectly(environment: Environment = process.env): Direct {
  // The gateway's own way to the services; nobody listens here, so no credentials are asked of anybody.
  const config = readGatewayConfig({
    ...environment,
    HEADWATER_GATEWAY_LISTEN: "127.0.0.1:0",
    HEADWATER_GATEWAY_LOAD_LISTEN: undefined,
    HEADWATER_GATEWAY_API_KEYS_FILE: undefined,
  });
  return {
    upstream: connectUpstream(config, silentTelemetry("headwater")),
    addresses: {
      ingest: config.ingestAddress,
      search: config.searchAddress,
      generation: config.generationAddress,
      "embedding-worker": config.embeddingAddress,
    },
  };
}
