import type { ConnectRouter, ConnectRouterOptions, ContextValues } from "@connectrpc/connect";
import { Code, ConnectError, createConnectRouter } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { errorFromJsonBytes, errorToJsonBytes } from "@connectrpc/connect/protocol-connect";
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import { toConnectError } from "@headwater/client/error-details";
import type { FastifyRequest } from "fastify";
import type { App } from "./gateway.ts";
import { isUnreadable, messageInvalid, toHeadwaterError } from "./http-error.ts";

/** Longest time-out of a call in milliseconds; beyond it Node's timers fire at once. */
const maxTimeoutMs = 2 ** 31 - 1;

/**
 * Mounts Connect's handlers, which answer Connect, gRPC-Web and gRPC. What @connectrpc/connect-fastify does, but for
 * the one thing that a service cannot have: it writes to the console whenever a client leaves a stream.
 *
 * @param contextValues what the handlers are to know of a request
 */
export function mountRpcHandlers(
  app: App,
  options: ConnectRouterOptions,
  routes: (router: ConnectRouter) => void,
  contextValues?: (request: FastifyRequest) => ContextValues,
): void {
  const router = createConnectRouter({
    acceptCompression: [compressionGzip, compressionBrotli],
    maxTimeoutMs,
    ...options,
  });
  routes(router);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _body, done) => done(null));
  for (const handler of router.handlers) {
    app.all(handler.requestPath, async (request, reply) => {
      reply.hijack();
      for (const [name, value] of Object.entries(reply.getHeaders()))
        if (value !== undefined) reply.raw.setHeader(name, value);
      try {
        const call = universalRequestFromNodeRequest(
          request.raw,
          reply.raw,
          undefined,
          contextValues?.(request),
        );
        // Who left before the call was made would never be noticed by it: the end has been told already.
        if (request.leaving.aborted) return;
        await universalResponseToNodeResponse(await blameSender(await handler(call)), reply.raw);
      } catch (thrown) {
        // The handler tells errors of the call in its own words; what comes here is that nobody is there to be told.
        request.failure = toHeadwaterError(thrown);
        reply.raw.destroy();
      }
    });
  }
}

/**
 * Connect answers bytes that it cannot decode with 500, as if it were a fault of ours. Over gRPC the same is
 * INTERNAL, as gRPC's own list of codes has it; but HTTP's 500 wakes people up at night.
 */
async function blameSender(response: UniversalServerResponse): Promise<UniversalServerResponse> {
  if (response.status !== 500 || !response.body) return response;
  const body = Buffer.concat(await Array.fromAsync(response.body));
  const error = errorFromJsonBytes(body, undefined, new ConnectError("no JSON", Code.Unknown));
  if (!isUnreadable(error)) return { ...response, body: only(body) };
  const told = errorToJsonBytes(toConnectError(messageInvalid()), undefined);
  const header = new Headers(response.header);
  header.set("content-length", String(told.byteLength));
  return { ...response, status: 400, header, body: only(told) };
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
