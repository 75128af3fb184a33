import type { CallOptions } from "@headwater/client";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Admission } from "./admission.ts";
import { rateLimited } from "./admission.ts";
import type { Caller } from "./authentication.ts";
import { authenticate } from "./authentication.ts";
import type { GatewayConfig } from "./config.ts";
import { checkOrigin } from "./origin.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Who sent the request; undefined where it was not let in. */
    caller: Caller | undefined;
    /** Fires when the client has left. */
    leaving: AbortSignal;
  }
}

/** Gives each request a signal that fires when its client leaves before the response is complete. */
export function noticeLeaving(app: FastifyInstance): void {
  app.decorateRequest("caller", undefined);
  app.decorateRequest("leaving");
  app.addHook("onRequest", (request, reply, done) => {
    const leaving = new AbortController();
    request.leaving = leaving.signal;
    reply.raw.once("close", () => {
      if (!reply.raw.writableFinished) leaving.abort();
    });
    done();
  });
  app.addHook("preHandler", (request, _reply, done) => {
    // The body is here, or its route watches over it; the answer may take its time.
    if (request.raw.httpVersionMajor === 1) request.raw.socket.setTimeout(0);
    done();
  });
}

/** Lets a request in, or throws why not. The place that it takes is given up when its response ends. */
export type Admit = (request: FastifyRequest, ended: (release: () => void) => void) => Promise<void>;

export function createAdmit(app: FastifyInstance, config: GatewayConfig, admission: Admission): Admit {
  const checkRate =
    config.rateLimit === 0
      ? undefined
      : app.createRateLimit({
          max: config.rateLimit,
          timeWindow: 60_000,
          keyGenerator: (request) => request.caller?.id ?? request.ip,
        });
  return async (request, ended) => {
    checkOrigin(
      { method: request.method, headers: request.headers, upgrade: request.ws === true },
      config.hosts,
      config.corsOrigins,
    );
    request.caller = authenticate(config.apiKeys, request.headers, request.ip);
    const rate = await checkRate?.(request);
    if (rate && !rate.isAllowed && rate.isExceeded) throw rateLimited(rate.ttl);
    ended(admission.enter());
  };
}

/** Options of the calls that are made for a request. */
export function callOptions(request: FastifyRequest, timeoutMs?: number) {
  return {
    tenant: request.caller?.tenant ?? "",
    owner: request.caller?.owner ?? "",
    signal: request.leaving,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  } satisfies CallOptions;
}
