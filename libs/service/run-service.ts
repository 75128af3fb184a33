import { HeadwaterError } from "@headwater/errors";
import { registerDependencyMetrics } from "@headwater/resilience";
import { address, integer, readSettings } from "@headwater/settings";
import type { Telemetry } from "@headwater/telemetry";
import { createTelemetry, startTracing, telemetrySettings } from "@headwater/telemetry";
import { startAdminServer } from "./admin-server.ts";
import { spareGarbageCollection } from "./garbage-collection.ts";
import type { RunningService } from "./service.ts";

/** Settings of a process that runs one service. */
export const processSettings = {
  ...telemetrySettings,
  HEADWATER_METRICS_ADDRESS: address()
    .default("127.0.0.1:9464")
    .describe("host:port for /metrics, /health/live and /health/ready"),
  HEADWATER_SHUTDOWN_GRACE_MS: integer(0, 3_600_000)
    .default(8000)
    .describe(
      "Milliseconds that calls and documents under way have after SIGTERM to end; endless streams end at once. The platform has to wait longer than this before it kills",
    ),
};

/** Runs one service as a process of its own, until SIGTERM or SIGINT. The body of every `main.ts`. */
export async function runService(
  name: string,
  start: (telemetry: Telemetry) => Promise<RunningService>,
): Promise<void> {
  spareGarbageCollection();
  let telemetry: Telemetry | undefined;
  try {
    const settings = readSettings(processSettings);
    const stopTracing = startTracing(`headwater-${name}`, settings.HEADWATER_OTLP_ENDPOINT);
    telemetry = createTelemetry(name, { logLevel: settings.HEADWATER_LOG_LEVEL, processMetrics: true });
    registerDependencyMetrics(telemetry.metrics);
    const stop = stopSignal();
    // Closed in the reverse order, also when a later step fails.
    await using resources = new AsyncDisposableStack();
    resources.defer(stopTracing);
    const service = await start(telemetry);
    resources.defer(() => service.close(settings.HEADWATER_SHUTDOWN_GRACE_MS));
    const admin = await startAdminServer(settings.HEADWATER_METRICS_ADDRESS, [service]);
    resources.defer(() => admin.close());
    telemetry.log.info({ address: admin.address }, "metrics and health");
    const signal = await stop;
    telemetry.log.info({ signal }, "stopping");
  } catch (thrown) {
    const error = HeadwaterError.from(thrown);
    if (telemetry) telemetry.log.fatal({ err: error }, "could not run");
    else process.stderr.write(`${error.message}\n${error.action}\n`);
    process.exitCode = 1;
  }
}

/** Resolves with the name of the first signal that asks the process to stop. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve(signal));
  });
}
