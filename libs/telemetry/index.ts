export type { Logger, LogLevel } from "./log.ts";
export { createLogger, logLevels } from "./log.ts";
export type { QueryMetrics } from "./metrics.ts";
export {
  Counter,
  createQueryMetrics,
  createRegistry,
  durationBuckets,
  Gauge,
  Histogram,
  Registry,
} from "./metrics.ts";
export type { RequestContext } from "./request-context.ts";
export { generateInRequestContext, requestContext, withRequestContext } from "./request-context.ts";
export type { Telemetry } from "./telemetry.ts";
export { createTelemetry, silentTelemetry, telemetrySettings } from "./telemetry.ts";
export type { StopTracing } from "./tracing.ts";
export { isTracing, startTracing } from "./tracing.ts";
