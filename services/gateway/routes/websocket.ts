import { HeadwaterError, status } from "@headwater/errors";
import type { App, Gateway } from "../gateway.ts";
import { inRequest } from "../observation.ts";
import { webSocketReplySchema, webSocketRequestSchema } from "../schemas/websocket.ts";
import { WebSocketSession } from "../websocket-session.ts";

const protocolName = "headwater.v1";

/** Answers our own subprotocol only: the one that carries a key must not be echoed. */
export function chooseProtocol(offered: ReadonlySet<string>): string | false {
  return offered.has(protocolName) ? protocolName : false;
}

export function webSocketRoutes(app: App, gateway: Gateway): void {
  app.route({
    method: "GET",
    url: "/v1/ws",
    schema: {
      tags: ["search"],
      summary: "WebSocket: searches, answers, turns of conversations, watches and pushes side by side",
      description:
        "Each message is JSON text: the client sends WebSocketRequest, the server WebSocketReply, many for a request, " +
        "the last of type `done` or `error`. Browsers, which cannot set headers here, send an API key as the " +
        "subprotocol `bearer.<key>` beside `headwater.v1`.",
      consumes: {
        "application/json": { description: "A message of the client", schema: webSocketRequestSchema },
      },
      produces: {
        "application/json": { description: "A message of the server", schema: webSocketReplySchema },
      },
    },
    handler: (): never => {
      throw new HeadwaterError({
        code: status.FAILED_PRECONDITION,
        reason: "HW_UPGRADE_REQUIRED",
        message: "This path speaks WebSocket.",
        action: "Connect with a WebSocket client.",
      });
    },
    wsHandler: (socket, request) => {
      const { tenant = "", owner = "" } = request.caller ?? {};
      const caller = { tenant, owner, requestId: request.id };
      inRequest(request, () => new WebSocketSession(socket, gateway, caller));
    },
  });
}
