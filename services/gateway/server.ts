import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createContextValues } from "@connectrpc/connect";
import fastifyRateLimit from "@fastify/rate-limit";
import fastifyWebSocket from "@fastify/websocket";
import { HeadwaterError, invalidArgument } from "@headwater/errors";
import type { Lookup, RpcServer } from "@headwater/rpc";
import { maxMessageBytes } from "@headwater/rpc";
import type { RunningService } from "@headwater/service";
import type { Telemetry } from "@headwater/telemetry";
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from "fastify";
import Fastify from "fastify";
import type { z } from "zod";
import { createAdmission } from "./admission.ts";
import { closeGracefully } from "./closing.ts";
import type { GatewayConfig } from "./config.ts";
import { hostOf } from "./config.ts";
import { createDrain } from "./drain.ts";
import type { App, Gateway, ZodTypeProvider } from "./gateway.ts";
import { allowOrigins, secureHeaders } from "./headers.ts";
import { errorBody, inputInvalid, sendError, toHeadwaterError } from "./http-error.ts";
import { startLoadServer } from "./load-server.ts";
import { answerUnknown } from "./not-found.ts";
import { observeConnections, observeRequests, requestIdOf } from "./observation.ts";
import { sendOpenAiError } from "./openai-error.ts";
import { createQueryObserver } from "./query-observer.ts";
import type { Readiness } from "./readiness.ts";
import { watchReadiness } from "./readiness.ts";
import type { Admit } from "./request.ts";
import { createAdmit, noticeLeaving } from "./request.ts";
import { listRoutes } from "./route-list.ts";
import { agentRoutes } from "./routes/agents.ts";
import { answerRoutes } from "./routes/answer.ts";
import { chatRoutes } from "./routes/chat.ts";
import { conversationRoutes } from "./routes/conversations.ts";
import { documentRoutes, pushRoutes } from "./routes/documents.ts";
import { feedbackRoutes } from "./routes/feedback.ts";
import { healthRoutes } from "./routes/health.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { mcpRoutes } from "./routes/mcp.ts";
import { memoryRoutes } from "./routes/memories.ts";
import { metricsRoutes } from "./routes/metrics.ts";
import { modelRoutes } from "./routes/models.ts";
import { openAiChatRoutes } from "./routes/openai-chat.ts";
import { openAiEmbeddingRoutes } from "./routes/openai-embeddings.ts";
import { openApiRoutes } from "./routes/openapi.ts";
import { pageRoutes } from "./routes/page.ts";
import { pipelineRoutes } from "./routes/pipeline.ts";
import { promptRoutes } from "./routes/prompts.ts";
import { searchRoutes } from "./routes/search.ts";
import { upkeepRoutes } from "./routes/upkeep.ts";
import { uploadBytesRoutes, uploadRoutes } from "./routes/uploads.ts";
import { chooseProtocol, webSocketRoutes } from "./routes/websocket.ts";
import { admittedKey, forwardServices, refuseUnadmitted } from "./rpc-forwarding.ts";
import { serveHealth } from "./rpc-health.ts";
import { mountRpcHandlers } from "./rpc-mount.ts";
import { createSharedPort } from "./shared-port.ts";
import { connectUpstream, services } from "./upstream.ts";

/** JSON bodies that are held in memory whole: searches and questions. */
const maxQueryBytes = 1024 * 1024;
/** A document's id is at most 512 bytes, each of which may be written as %XX. */
const maxPathParameter = 1536;

/**
 * Starts the gateway: HTTP/JSON, server-sent events, WebSocket, Connect, gRPC-Web and gRPC on one port, and the page.
 * Services may be up or not: while one is down, its routes say so.
 *
 * @param lookup of the services' names; default: the system's
 */
export async function startGateway(
  config: GatewayConfig,
  telemetry: Telemetry,
  lookup?: Lookup,
): Promise<RunningService> {
  const upstream = connectUpstream(config, telemetry, lookup);
  const gateway: Gateway = {
    config,
    telemetry,
    upstream,
    client: upstream.client,
    observe: createQueryObserver(telemetry.metrics),
    admission: createAdmission(config.maxActive, telemetry.metrics),
    drain: createDrain(),
  };
  let load: RpcServer | undefined;
  let readiness: Readiness | undefined;
  try {
    const { app, port } = await createApp(gateway);
    observeConnections(port, telemetry.metrics);
    await app.ready();
    if (config.loadListen !== undefined) {
      load = await startLoadServer({
        ...{ address: config.loadListen, port, telemetry, demand: upstream.demand, tls: upstream.tls },
        notReady: () => readiness?.notReady,
      });
    }
    const address = await listen(port.server, config.listen);
    telemetry.log.info({ address }, "listening");
    const watched = await watchReadiness(upstream, telemetry);
    readiness = watched;
    const close = async (graceMs: number) => {
      try {
        await Promise.all([closeGracefully(gateway, app, port, graceMs), load?.close(graceMs)]);
      } finally {
        watched.stop();
        upstream.close();
      }
    };
    let closing: Promise<void> | undefined;
    return {
      name: "gateway",
      address,
      metrics: telemetry.metrics,
      get notReady() {
        return watched.notReady;
      },
      close(graceMs) {
        closing ??= close(graceMs);
        return closing;
      },
    };
  } catch (thrown) {
    await load?.close(0);
    upstream.close();
    throw HeadwaterError.from(thrown);
  }
}

/** The application, ready to listen; in parts, so that tests can look at its routes. */
export async function createApp(gateway: Gateway) {
  let port: ReturnType<typeof createSharedPort> | undefined;
  const app = Fastify({
    serverFactory: (handler) => {
      port = createSharedPort(
        handler as Parameters<typeof createSharedPort>[0],
        gateway.config.idleTimeoutMs,
      );
      return port.server;
    },
    bodyLimit: maxQueryBytes,
    genReqId: (request) => requestIdOf(request.headers),
    routerOptions: { maxParamLength: maxPathParameter, ignoreTrailingSlash: true },
    exposeHeadRoutes: false,
    frameworkErrors: (error, request, reply) => void sendError(request, reply, error),
    clientErrorHandler: answerBrokenHttp,
  }).withTypeProvider<ZodTypeProvider>();
  if (!port) throw new TypeError("Fastify made no server");

  // Fastify takes text as a body by itself; no route here does.
  app.removeContentTypeParser("text/plain");
  app.setValidatorCompiler(
    ({ schema }) =>
      (value) =>
        validate(schema as unknown as z.ZodType, value),
  );
  app.setSerializerCompiler(() => (value) => `${JSON.stringify(value)}\n`);
  app.setErrorHandler((error, request, reply) => sendError(request, reply, error));
  const routes = listRoutes(app);
  answerUnknown(app, routes);
  observeRequests(app, gateway.telemetry);
  secureHeaders(app);
  noticeLeaving(app);
  await allowOrigins(app, gateway.config.corsOrigins);
  await app.register(fastifyRateLimit, { global: false });
  await app.register(fastifyWebSocket, {
    options: { maxPayload: gateway.config.maxJsonBytes, handleProtocols: chooseProtocol },
  });
  const admit = createAdmit(app, gateway.config, gateway.admission);

  healthRoutes(app, gateway);
  await scoped(app, (scope) => mountHttp(scope, gateway, admit, routes));
  await scoped(app, (scope) => mountUploads(scope, gateway));
  await scoped(app, (scope) => mountRpc(scope, gateway, admit));
  await scoped(app, (scope) =>
    mountRpcHandlers(scope, {}, (router) =>
      serveHealth(router, healthNames, () => gateway.upstream.health(), gateway.drain.signal),
    ),
  );
  await scoped(app, (scope) => pageRoutes(scope));
  return { app: app as unknown as App, port, routes };
}

/** A scope of its own: hooks and parsers that are added in it hold for its routes alone. */
async function scoped(app: App, mount: (scope: App) => void | Promise<void>): Promise<void> {
  await app.register((scope, _options, done) => {
    Promise.resolve(mount(scope as unknown as App)).then(() => done(), done);
  });
}

async function mountHttp(
  app: App,
  gateway: Gateway,
  admit: Admit,
  routes: readonly RouteOptions[],
): Promise<void> {
  app.addHook("onRequest", async (request, reply) => {
    await admit(request, (release) => atEnd(request, reply, release));
  });
  metricsRoutes(app, gateway);
  openApiRoutes(app, routes);
  documentRoutes(app, gateway);
  searchRoutes(app, gateway);
  answerRoutes(app, gateway);
  modelRoutes(app, gateway);
  chatRoutes(app, gateway);
  conversationRoutes(app, gateway);
  agentRoutes(app, gateway);
  promptRoutes(app, gateway);
  feedbackRoutes(app, gateway);
  memoryRoutes(app, gateway);
  jobRoutes(app, gateway);
  pipelineRoutes(app, gateway);
  upkeepRoutes(app, gateway);
  uploadRoutes(app, gateway);
  await scoped(app, (scope) => pushRoutes(scope, gateway));
  await scoped(app, (scope) => mountOpenAi(scope, gateway));
  webSocketRoutes(app, gateway);
  mcpRoutes(app, gateway);
}

/** Doors for clients of OpenAI's API, whose errors have its form. */
function mountOpenAi(app: App, gateway: Gateway): void {
  app.setErrorHandler((error, request, reply) => sendOpenAiError(request, reply, error));
  openAiChatRoutes(app, gateway);
  openAiEmbeddingRoutes(app, gateway);
}

/** The bytes of uploads need no credentials: the address that was given out for them is one. */
function mountUploads(app: App, gateway: Gateway): void {
  const admit = createAdmit(app, { ...gateway.config, apiKeys: [] }, gateway.admission);
  app.addHook("onRequest", async (request, reply) => {
    await admit(request, (release) => atEnd(request, reply, release));
  });
  uploadBytesRoutes(app, gateway);
}

/** Calls `release` when the response ends, or now: who left while being let in has no end that is still to come. */
function atEnd(request: FastifyRequest, reply: FastifyReply, release: () => void): void {
  if (request.leaving.aborted) release();
  else reply.raw.once("close", release);
}

/** Connect, gRPC-Web and gRPC; a refusal is told in the words of the protocol, so it waits for Connect's handler. */
function mountRpc(app: App, gateway: Gateway, admit: Admit): void {
  const { upstream, observe, drain } = gateway;
  const refusals = new WeakMap<FastifyRequest, HeadwaterError>();
  app.addHook("onRequest", async (request, reply) => {
    try {
      await admit(request, (release) => atEnd(request, reply, release));
    } catch (thrown) {
      const refused = toHeadwaterError(thrown);
      request.failure = refused;
      refusals.set(request, refused);
    }
  });
  mountRpcHandlers(
    app,
    { readMaxBytes: maxMessageBytes, requestGate: refuseUnadmitted },
    (router) => forwardServices(router, upstream.transport, observe, drain.signal),
    (request) => {
      const refused = refusals.get(request);
      const admitted = refused ? { refused } : request.caller && { caller: request.caller };
      return createContextValues().set(admittedKey, admitted);
    },
  );
}

const healthNames = Object.fromEntries(
  services.flatMap(({ name, types }) => types.map(({ typeName }) => [typeName, name])),
);

function validate(schema: z.ZodType, value: unknown) {
  const parsed = schema.safeParse(value ?? {});
  return parsed.success ? { value: parsed.data } : { error: inputInvalid(parsed.error) };
}

/** What is no HTTP at all never reaches a route; the answer has the same form all the same. */
function answerBrokenHttp(
  this: FastifyInstance,
  error: Error & { code?: string },
  socket: import("node:net").Socket,
) {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const tooLarge = error.code === "HPE_HEADER_OVERFLOW";
  const timeout = error.code === "ERR_HTTP_REQUEST_TIMEOUT";
  const line = tooLarge
    ? "431 Request Header Fields Too Large"
    : timeout
      ? "408 Request Timeout"
      : "400 Bad Request";
  const message = tooLarge
    ? "The headers are too large."
    : timeout
      ? "The request came too slowly."
      : "This is not HTTP.";
  const body = `${JSON.stringify(errorBody(invalidArgument("HW_HTTP_INVALID", message), ""))}\n`;
  socket.end(
    `HTTP/1.1 ${line}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** @throws Error of Node's, such as EADDRINUSE */
async function listen(server: Server, address: string): Promise<string> {
  const host = hostOf(address);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(Number(address.slice(address.lastIndexOf(":") + 1)), host.replace(/^\[|\]$/g, ""), resolve);
  });
  return `${host}:${(server.address() as AddressInfo).port}`;
}
