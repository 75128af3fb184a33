import type { readSettings } from "@headwater/settings";
import { integer } from "@headwater/settings";

/** Beyond a day a connection may as well live for ever; timers of Node's take 24 days at most. */
const dayMs = 24 * 3_600_000;

/** Settings of every process that has a gRPC server. */
export const rpcServerSettings = {
  HEADWATER_MAX_CONNECTION_AGE_MS: integer(0, dayMs)
    .default(300_000)
    .describe(
      "Milliseconds, give or take a tenth, after which a caller's connection is asked to go (GOAWAY): calls under way stay on it, new ones look up all servers again; 0: never",
    ),
  HEADWATER_MAX_CONNECTION_AGE_GRACE_MS: integer(0, dayMs)
    .default(3_600_000)
    .describe(
      "Milliseconds that calls under way have on a connection that was asked to go before it is cut; 0: as long as they take",
    ),
};

export type RpcServerSettingValues = ReturnType<typeof readSettings<typeof rpcServerSettings>>;

/** How a gRPC server treats its connections. */
export interface RpcServerConfig {
  /** Milliseconds; 0: never asked to go. */
  readonly maxConnectionAgeMs: number;
  /** Milliseconds; 0: never cut. */
  readonly maxConnectionAgeGraceMs: number;
}

export function readRpcServerConfig(values: RpcServerSettingValues): RpcServerConfig {
  return {
    maxConnectionAgeMs: values.HEADWATER_MAX_CONNECTION_AGE_MS,
    maxConnectionAgeGraceMs: values.HEADWATER_MAX_CONNECTION_AGE_GRACE_MS,
  };
}
