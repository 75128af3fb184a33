import { randomUUID } from "node:crypto";
import type { HeadwaterError } from "@headwater/errors";
import { statusName } from "@headwater/errors";
import type { Registry, Telemetry } from "@headwater/telemetry";
import { Counter, durationBuckets, Gauge, Histogram, withRequestContext } from "@headwater/telemetry";
import type { Context, Span } from "@opentelemetry/api";
import { context, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { SharedPort } from "./shared-port.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Why the request failed; for the log and the span. */
    failure: HeadwaterError | undefined;
    /** The trace that the caller began, with the server's own span. */
    traceContext: Context | undefined;
    serverSpan: Span | undefined;
  }
}

export const requestIdHeader = "x-request-id";

/** From the caller where it is one that may stand in a log, or made here. */
export function requestIdOf(headers: Readonly<Record<string, string | string[] | undefined>>): string {
  const given = headers[requestIdHeader];
  return typeof given === "string" && /^[A-Za-z0-9._-]{1,128}$/.test(given) ? given : randomUUID();
}

/** Connections are what a gateway is scaled on: a stream holds one for minutes and is one request. */
export function observeConnections(port: Pick<SharedPort, "connections">, registry: Registry): void {
  new Gauge({
    name: "headwater_gateway_connections",
    help: "Connections that are open, of HTTP/1.1 and HTTP/2",
    registers: [registry],
    collect() {
      this.set(port.connections);
    },
  });
}

/** A request id, a span, a log line and an observation for every request. */
export function observeRequests(app: FastifyInstance, telemetry: Telemetry): void {
  const registers = [telemetry.metrics];
  const requests = new Counter({
    name: "headwater_gateway_requests_total",
    help: "HTTP requests that ended, by route, method and status",
    labelNames: ["route", "method", "status"],
    registers,
  });
  const seconds = new Histogram({
    name: "headwater_gateway_request_duration_seconds",
    help: "HTTP requests, from the first byte to the last",
    labelNames: ["route"],
    buckets: durationBuckets,
    registers,
  });

  app.decorateRequest("failure", undefined);
  app.decorateRequest("traceContext", undefined);
  app.decorateRequest("serverSpan", undefined);

  app.addHook("onRequest", (request, reply, done) => {
    const parent = propagation.extract(context.active(), request.headers);
    const route = routeOf(request);
    const span = telemetry.tracer.startSpan(
      `${request.method} ${route}`,
      {
        kind: SpanKind.SERVER,
        attributes: {
          "http.request.method": request.method,
          "http.route": route,
          "network.protocol.version": request.raw.httpVersion,
          "headwater.request_id": request.id,
        },
      },
      parent,
    );
    request.serverSpan = span;
    request.traceContext = trace.setSpan(parent, span);
    reply.header(requestIdHeader, request.id);
    let ended = false;
    reply.raw.once("close", () => {
      if (ended) return;
      ended = true;
      const { statusCode } = reply.raw;
      const left = !reply.raw.writableFinished;
      const labels = { route, method: request.method, status: left ? "left" : String(statusCode) };
      requests.inc(labels);
      seconds.observe({ route }, reply.elapsedTime / 1000);
      span.setAttribute("http.response.status_code", statusCode);
      if (request.failure) {
        span.setAttribute("error.type", request.failure.reason);
        if (statusCode >= 500)
          span.setStatus({ code: SpanStatusCode.ERROR, message: request.failure.message });
      }
      span.end();
      inRequest(request, () => log(telemetry, request, labels, reply.elapsedTime));
    });
    done();
  });
  // Parsing a body ends in an event of the socket, outside of what onRequest set up; so the handler is called in it.
  app.addHook("preHandler", (request, _reply, done) => inRequest(request, done));
}

/** Runs `work`, and all that it awaits, with the request's id in the logs and its span as the parent. */
export function inRequest<T>(request: FastifyRequest, work: () => T): T {
  const tenant = request.caller?.tenant;
  const fields = { requestId: request.id, ...(tenant ? { tenant } : {}) };
  return withRequestContext(fields, () => context.with(request.traceContext ?? context.active(), work));
}

/** The pattern, not the path: a label for each document would never end. */
function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? "unknown";
}

function log(
  telemetry: Telemetry,
  request: FastifyRequest,
  labels: { route: string; method: string; status: string },
  elapsedMs: number,
): void {
  const { failure } = request;
  const fields = {
    ...labels,
    caller: request.caller?.id,
    duration_ms: Math.round(elapsedMs * 10) / 10,
    ...(failure ? { code: statusName(failure.code), reason: failure.reason } : {}),
  };
  if (labels.status === "500") telemetry.log.error({ ...fields, err: failure }, "request failed");
  else if (/^\/(health|metrics)/.test(labels.route)) telemetry.log.debug(fields, "request");
  else telemetry.log.info(fields, "request");
}
