import { ExternalScalerDefinition } from "@headwater/proto/services/externalscaler/externalscaler";
import { openTls, startRpcServer } from "@headwater/rpc";
import type { RunningService } from "@headwater/service";
import { serviceBehind } from "@headwater/service";
import type { Telemetry } from "@headwater/telemetry";
import type { ScalerConfig } from "./config.ts";
import type { FleetPace } from "./fleet.ts";
import { Fleet, usualPace } from "./fleet.ts";
import { Fleets } from "./fleets.ts";
import type { FollowedService } from "./followed-service.ts";
import { createScalerMetrics, observeFleets } from "./metrics.ts";
import type { Resolve } from "./name-resolution.ts";
import { resolveBySystem } from "./name-resolution.ts";
import { ScalerHandlers } from "./scaler-handlers.ts";

/** @internal For tests, whose pods have no names. */
export interface ScalerSurroundings {
  readonly resolve?: Resolve;
  readonly pace?: FleetPace;
}

/** @throws HeadwaterError where the address is taken */
export async function startScaler(
  config: ScalerConfig,
  telemetry: Telemetry,
  { resolve = resolveBySystem, pace = usualPace }: ScalerSurroundings = {},
): Promise<RunningService> {
  const tls = openTls(config.tls, telemetry);
  const metrics = createScalerMetrics(telemetry.metrics, [...config.addresses.keys()]);
  const followed = new Map<FollowedService, Fleet>();
  for (const [service, address] of config.addresses) {
    const fleet = new Fleet({
      ...{ service, address, resolve, pace, tls, log: telemetry.log },
      onReport: () => metrics.reports.inc({ workload: service }),
      onUnresolved: () => metrics.unresolved.inc({ workload: service }),
    });
    followed.set(service, fleet);
  }
  observeFleets(telemetry.metrics, followed);
  const fleets = new Fleets(followed, config);
  const close = async () => {
    await fleets.close();
    tls?.close();
  };
  try {
    const server = await startRpcServer({
      address: config.listen,
      config: config.rpc,
      tls,
      definition: ExternalScalerDefinition,
      implementation: new ScalerHandlers(fleets, metrics),
      telemetry,
      checkReadiness: async () => fleets.checkSettled(),
    });
    return serviceBehind(server, "scaler", telemetry, close);
  } catch (thrown) {
    await close();
    throw thrown;
  }
}
