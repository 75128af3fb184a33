import { choice, text } from "@headwater/settings";
import type { Tracer } from "@opentelemetry/api";
import { trace } from "@opentelemetry/api";
import type { Logger, LogLevel } from "./log.ts";
import { createLogger, logLevels } from "./log.ts";
import type { Registry } from "./metrics.ts";
import { createRegistry } from "./metrics.ts";

/** What a service reports with. */
export interface Telemetry {
  readonly service: string;
  readonly log: Logger;
  readonly metrics: Registry;
  readonly tracer: Tracer;
}

/** Settings that every service has; spread into its own shape. */
export const telemetrySettings = {
  HEADWATER_LOG_LEVEL: choice(logLevels).default("info").describe("Least severe level that is logged"),
  HEADWATER_OTLP_ENDPOINT: text()
    .regex(/^https?:\/\//, "must start with http:// or https://")
    .optional()
    .describe("Collector for traces over OTLP gRPC, such as http://127.0.0.1:4317; unset: tracing is off"),
};

export function createTelemetry(
  service: string,
  options: { logLevel: LogLevel; processMetrics?: boolean },
): Telemetry {
  return {
    service,
    log: createLogger(service, options.logLevel),
    metrics: createRegistry(service, { processMetrics: options.processMetrics ?? false }),
    tracer: trace.getTracer(`headwater/${service}`),
  };
}

/** For tests: logs nothing. */
export function silentTelemetry(service: string): Telemetry {
  return createTelemetry(service, { logLevel: "silent" });
}
