import type { readSettings } from "@headwater/settings";
import { integer } from "@headwater/settings";

/** Beyond a day a connection may as well live for ever; timers of Node's take 24 days at most. */
const dayMs = 24 * 3_600_000;

/** Settings of every process that serves gRPC or calls it. */
export const rpcSettings = {
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
  HEADWATER_RESOLVE_INTERVAL_MS: integer(100, dayMs)
    .default(5000)
    .describe(
      "Milliseconds between two look-ups of another service's name: a new pod gets calls so much later than its name server knows it. Each caller asks so often for each service that it calls",
    ),
};

export type RpcSettingValues = ReturnType<typeof readSettings<typeof rpcSettings>>;

/** How connections between services are treated, by those who serve and those who call. */
export interface RpcConfig {
  /** Milliseconds; 0: never asked to go. */
  readonly maxConnectionAgeMs: number;
  /** Milliseconds; 0: never cut. */
  readonly maxConnectionAgeGraceMs: number;
  /** Milliseconds. */
  readonly resolveIntervalMs: number;
}

export function readRpcConfig(values: RpcSettingValues): RpcConfig {
  return {
    maxConnectionAgeMs: values.HEADWATER_MAX_CONNECTION_AGE_MS,
    maxConnectionAgeGraceMs: values.HEADWATER_MAX_CONNECTION_AGE_GRACE_MS,
    resolveIntervalMs: values.HEADWATER_RESOLVE_INTERVAL_MS,
  };
}
