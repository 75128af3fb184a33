import { createRequire } from "node:module";

/**
 * `@opentelemetry/api` exists twice in a process, once for `import` and once for `require`, and a tracer that was asked
 * for before tracing started only ever learns of a provider that its own copy registered. nice-grpc-opentelemetry is
 * CommonJS and asks when it is loaded, so the SDK has to register with that copy; ours asks after the start. Loaded only where it is used: it takes 0.2 s of processor time.
 */
function loadSdk() {
  const require = createRequire(import.meta.url);
  const { NodeSDK } = require("@opentelemetry/sdk-node") as typeof import("@opentelemetry/sdk-node");
  const { OTLPTraceExporter } = require("@opentelemetry/exporter-trace-otlp-grpc") as ExporterModule;
  return { NodeSDK, OTLPTraceExporter };
}

type ExporterModule = typeof import("@opentelemetry/exporter-trace-otlp-grpc");

let started = false;

/** False: spans go nowhere, and what makes them may be left out. */
export function isTracing(): boolean {
  return started;
}

/** Stops tracing; spans that are not yet sent are sent first. */
export type StopTracing = () => Promise<void>;

/**
 * Sends spans over OTLP gRPC. Once a process, before `createTelemetry`. Without an endpoint tracing stays off and costs
 * nothing.
 *
 * @param endpoint such as "http://127.0.0.1:4317"
 */
export function startTracing(serviceName: string, endpoint: string | undefined): StopTracing {
  if (endpoint === undefined) return async () => {};
  const { NodeSDK, OTLPTraceExporter } = loadSdk();
  started = true;
  const sdk = new NodeSDK({
    serviceName,
    traceExporter: new OTLPTraceExporter({ url: endpoint }),
    instrumentations: [],
    metricReaders: [],
    logRecordProcessors: [],
  });
  sdk.start();
  return () => sdk.shutdown();
}
