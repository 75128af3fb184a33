import { HeadwaterError, status } from "@headwater/errors";
import type { RpcConfig, TlsConfig } from "@headwater/rpc";
import { readRpcConfig, readTlsConfig, rpcSettings, tlsSettings } from "@headwater/rpc";
import type { Environment } from "@headwater/settings";
import { address, integer, readSettings } from "@headwater/settings";
import type { FollowedService } from "./followed-service.ts";

const followed = "Unset: it is not followed, and a trigger for it is refused";

export const scalerSettings = {
  HEADWATER_SCALER_LISTEN: address().default("127.0.0.1:7005").describe("host:port that KEDA calls"),
  HEADWATER_EMBEDDING_ADDRESS: address()
    .optional()
    .describe(`host:port of the embedding-worker, a name with an address for each pod. ${followed}`),
  HEADWATER_SEARCH_ADDRESS: address().optional().describe(`The same of search. ${followed}`),
  HEADWATER_GENERATION_ADDRESS: address().optional().describe(`The same of generation. ${followed}`),
  HEADWATER_INGEST_ADDRESS: address()
    .optional()
    .describe("The same of ingest, for what waits there for the embedding-worker. Unset: not followed"),
  HEADWATER_GATEWAY_LOAD_ADDRESS: address()
    .optional()
    .describe(`host:port of the gateways' HEADWATER_GATEWAY_LOAD_LISTEN, likewise. ${followed}`),
  HEADWATER_SCALER_HOLD_MS: integer(0, 3_600_000)
    .default(30_000)
    .describe(
      "Milliseconds without work after which a workload is told to be idle; a gap between two documents should be shorter",
    ),
  HEADWATER_SCALER_TOKENS_PER_SECOND: integer(1, 100_000_000)
    .default(5000)
    .describe("What an embedding-worker is taken to do in a second, as long as none has measured itself"),
  ...rpcSettings,
  ...tlsSettings,
};

export interface ScalerConfig {
  readonly listen: string;
  /** host:port of the services that are followed. */
  readonly addresses: ReadonlyMap<FollowedService, string>;
  readonly holdMs: number;
  /** Tokens a second. */
  readonly usualCapacity: number;
  readonly rpc: RpcConfig;
  /** Undefined: plain text. */
  readonly tls: TlsConfig | undefined;
}

/** @throws HeadwaterError FAILED_PRECONDITION, HW_SETTINGS_INVALID or HW_SCALER_FOLLOWS_NOTHING */
export function readScalerConfig(env?: Environment): ScalerConfig {
  const settings = readSettings(scalerSettings, env);
  const addresses = new Map<FollowedService, string>();
  const follow = (service: FollowedService, at: string | undefined) => {
    if (at !== undefined) addresses.set(service, at);
  };
  follow("embedding-worker", settings.HEADWATER_EMBEDDING_ADDRESS);
  follow("search", settings.HEADWATER_SEARCH_ADDRESS);
  follow("generation", settings.HEADWATER_GENERATION_ADDRESS);
  follow("ingest", settings.HEADWATER_INGEST_ADDRESS);
  follow("gateway", settings.HEADWATER_GATEWAY_LOAD_ADDRESS);
  if (addresses.size === 0) {
    throw new HeadwaterError({
      code: status.FAILED_PRECONDITION,
      reason: "HW_SCALER_FOLLOWS_NOTHING",
      message: "The scaler knows no service to follow.",
      action:
        "Set the addresses of those that are scaled: HEADWATER_EMBEDDING_ADDRESS, HEADWATER_SEARCH_ADDRESS, " +
        "HEADWATER_GENERATION_ADDRESS, HEADWATER_GATEWAY_LOAD_ADDRESS.",
    });
  }
  return {
    listen: settings.HEADWATER_SCALER_LISTEN,
    addresses,
    holdMs: settings.HEADWATER_SCALER_HOLD_MS,
    usualCapacity: settings.HEADWATER_SCALER_TOKENS_PER_SECOND,
    rpc: readRpcConfig(settings),
    tls: readTlsConfig(settings),
  };
}
