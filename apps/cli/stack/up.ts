import { flushCompileCache } from "node:module";
import { isAbsolute, relative, resolve } from "node:path";
import { createHeadwaterClient } from "@headwater/client";
import { createNodeTransport } from "@headwater/client/node";
import { registerDependencyMetrics } from "@headwater/resilience";
import { openTls, readTlsClientConfig, tlsClientSettings } from "@headwater/rpc";
import { startAdminServer, stopSignal } from "@headwater/service";
import { address, choice, readSettings, text } from "@headwater/settings";
import {
  createRegistry,
  logLevels,
  silentTelemetry,
  startTracing,
  telemetrySettings,
} from "@headwater/telemetry";
import type { Output } from "../terminal/output.ts";
import { bold, cyan, dim, table } from "../terminal/output.ts";
import { lockDataFolder } from "./data-folder-lock.ts";
import type { Stack } from "./stack.ts";
import { serviceNames, startStack } from "./stack.ts";

/** From Ctrl-C to the end of the process, 10 s are promised; the rest is for closing what the services share. */
const graceMs = 8000;

const upSettings = {
  ...telemetrySettings,
  HEADWATER_LOG_LEVEL: choice(logLevels)
    .default("warn")
    .describe("Least severe level that is logged; `info` in a service of its own, `warn` here"),
  HEADWATER_DATA_DIR: text().default("./data").describe("Folder for everything that is kept"),
  HEADWATER_METRICS_ADDRESS: address()
    .default("127.0.0.1:9464")
    .describe("host:port for /metrics, /health/live and /health/ready"),
};

/** Runs the five services until Ctrl-C. The body of `headwater up`. */
export async function up(output: Output): Promise<void> {
  const started = performance.now();
  const settings = readSettings(upSettings);
  const stop = stopSignal();
  // Closed in the reverse order, also when a later step fails.
  await using resources = new AsyncDisposableStack();
  const lock = lockDataFolder(settings.HEADWATER_DATA_DIR);
  resources.defer(() => lock.release());
  resources.defer(startTracing("headwater", settings.HEADWATER_OTLP_ENDPOINT));
  const stack = await startStack(serviceNames, process.env, settings.HEADWATER_LOG_LEVEL, (name) => {
    if (output.interactive) process.stderr.write(`\r\u001b[Kstarting ${name} …`);
  });
  resources.defer(() => stack.close(graceMs));
  if (output.interactive) process.stderr.write("\r\u001b[K");
  const whole = createRegistry("headwater", { processMetrics: true });
  registerDependencyMetrics(whole);
  const admin = await startAdminServer(settings.HEADWATER_METRICS_ADDRESS, stack.services, [whole]);
  resources.defer(() => admin.close());
  if (output.json) output.value(addresses(stack, admin.address));
  else await greet(output, stack, admin.address, settings.HEADWATER_DATA_DIR, performance.now() - started);
  // Also for the next start where this one is ended by force.
  flushCompileCache();
  const signal = await stop;
  output.note(`\n${signal}: finishing what is under way …`);
}

function addresses(stack: Stack, metrics: string): Record<string, string> {
  const byName = Object.fromEntries(serviceNames.map((name) => [name, stack.address(name)]));
  return { ...byName, metrics };
}

async function greet(
  output: Output,
  stack: Stack,
  metrics: string,
  dataFolder: string,
  elapsedMs: number,
): Promise<void> {
  output.line(`${bold("Headwater is up")} ${dim(`(${(elapsedMs / 1000).toFixed(1)} s)`)}`);
  output.line();
  output.line(whereThingsAre(stack, metrics, dataFolder));
  output.line();
  output.line(await whatToDoNext(stack));
}

function whereThingsAre(stack: Stack, metrics: string, dataFolder: string): string {
  const gateway = stack.address("gateway");
  return table([
    ["  page, HTTP, WebSocket, gRPC-Web", cyan(`http://${gateway}`)],
    ["  what the HTTP routes are", `http://${gateway}/openapi.json`],
    ["  gRPC: ingest", stack.address("ingest")],
    ["  gRPC: embedding-worker", stack.address("embedding-worker")],
    ["  gRPC: search", stack.address("search")],
    ["  gRPC: generation", stack.address("generation")],
    ["  metrics, health", `http://${metrics}/metrics`],
    ["  data", shortPath(dataFolder)],
  ]);
}

async function whatToDoNext(stack: Stack): Promise<string> {
  const tls = openTls(readTlsClientConfig(readSettings(tlsClientSettings)), silentTelemetry("up"));
  const transport = createNodeTransport({
    address: stack.address("ingest"),
    ...(tls ? { connect: (host, port) => tls.connect({ host, port }, host) } : {}),
  });
  const pipeline = await createHeadwaterClient({ transport })
    .pipeline()
    .finally(() => {
      transport.close();
      tls?.close();
    });
  const documents = pipeline.documents.indexed;
  if (documents > 0) {
    return [
      `  ${documents} documents are here. Ask:  ${bold('npx headwater ask "…"')}`,
      dim("  Ctrl-C stops."),
    ].join("\n");
  }
  return [
    "  The store is empty. In another terminal, load the sample:",
    `      ${bold("npx headwater ingest samples")}`,
    "  or files of your own, or drop them on the page:",
    `      ${bold("npx headwater ingest ~/Documents/notes")}`,
    "  and ask:",
    `      ${bold('npx headwater ask "How many people were told to leave below Oroville Dam?"')}`,
    dim("  Ctrl-C stops."),
  ].join("\n");
}

function shortPath(folder: string): string {
  const path = relative(process.cwd(), resolve(folder));
  return path.startsWith("..") || isAbsolute(path) ? resolve(folder) : `./${path}`;
}
