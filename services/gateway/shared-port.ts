import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { Http2Server, Http2ServerRequest, Http2ServerResponse, ServerHttp2Session } from "node:http2";
import { createServer as createHttp2Server } from "node:http2";
import type { Socket } from "node:net";

/** Both HTTP versions take requests of the same shape; Fastify and Connect tell them apart themselves. */
type Handler = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
) => void;

export interface SharedPort {
  /** Listens; answers HTTP/1.1 and WebSocket itself. */
  readonly server: Server;
  /** Connections that are open, of either protocol or not yet known. */
  readonly connections: number;
  /** Connections that neither have a request under way nor will get one are closed. */
  closeIdle(): void;
  /** Cuts all connections. */
  closeAll(): void;
}

/**
 * A server that answers HTTP/1.1 and cleartext HTTP/2 with prior knowledge (as gRPC clients speak it) on one port. The first
 * bytes of a connection tell: every HTTP/2 client starts with "PRI * HTTP/2.0" (RFC 9113, 3.4), which is no method
 * of HTTP/1.1.
 *
 * @param idleTimeoutMs connections without a byte for so long are closed
 */
export function createSharedPort(handler: Handler, idleTimeoutMs: number): SharedPort {
  const server = createServer(
    { headersTimeout: 30_000, requestTimeout: 0, keepAliveTimeout: 72_000 },
    handler as RequestListener,
  );
  server.timeout = idleTimeoutMs;
  const http2 = createHttp2Server(
    { settings: { maxConcurrentStreams: 1000, initialWindowSize: 1024 * 1024 } },
    (request, response) => {
      // Begun and given up in one packet: its end was told before it could be heard, so it would hold its place for ever.
      if (!request.stream.closed && !request.stream.destroyed) handler(request, response);
    },
  );
  const sessions = trackSessions(http2, idleTimeoutMs);
  const waiting = new Set<Socket>();
  let connections = 0;

  // Node's own listener speaks HTTP/1.1 at once; it is called once that is known to be the protocol.
  const http1Listeners = server.listeners("connection");
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    connections += 1;
    socket.once("close", () => {
      connections -= 1;
    });
    waiting.add(socket);
    sniff(socket, idleTimeoutMs, (protocol) => {
      waiting.delete(socket);
      if (protocol === "http2") {
        // HTTP/1.1 may close one direction alone; in HTTP/2 a peer that does so is gone.
        socket.allowHalfOpen = false;
        http2.emit("connection", socket);
      } else if (protocol === "http1") for (const listener of http1Listeners) listener.call(server, socket);
    });
  });

  return {
    server,
    get connections() {
      return connections;
    },
    closeIdle() {
      for (const socket of waiting) socket.destroy();
      server.closeIdleConnections();
      for (const session of sessions) if (!session.closed) session.close();
    },
    closeAll() {
      for (const socket of waiting) socket.destroy();
      server.closeAllConnections();
      for (const session of sessions) session.destroy();
    },
  };
}

function trackSessions(http2: Http2Server, idleTimeoutMs: number): ReadonlySet<ServerHttp2Session> {
  const sessions = new Set<ServerHttp2Session>();
  http2.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    session.setTimeout(idleTimeoutMs, () => session.close());
  });
  // A broken frame ends its session and nothing else; the error carries no news for us.
  http2.on("sessionError", () => {});
  return sessions;
}

const prefaceStart = Buffer.from("PRI");

/** Reads until the protocol is known, puts the bytes back, and says which it is; "none" where the peer left first. */
function sniff(
  socket: Socket,
  timeoutMs: number,
  decided: (protocol: "http1" | "http2" | "none") => void,
): void {
  const finish = (protocol: "http1" | "http2" | "none") => {
    socket.off("readable", read);
    socket.off("error", leave);
    socket.off("end", leave);
    socket.off("close", leave);
    socket.off("timeout", leave);
    socket.setTimeout(0);
    decided(protocol);
  };
  const leave = () => {
    finish("none");
    socket.on("error", () => {});
    socket.destroy();
  };
  let held: Buffer = Buffer.alloc(0);
  const read = () => {
    const bytes: Buffer | null = socket.read();
    if (bytes === null) return;
    held = Buffer.concat([held, bytes]);
    const known = Math.min(held.length, prefaceStart.length);
    const matches = held.subarray(0, known).equals(prefaceStart.subarray(0, known));
    if (matches && held.length < prefaceStart.length) return;
    socket.unshift(held);
    finish(matches ? "http2" : "http1");
  };
  socket.setTimeout(timeoutMs);
  socket.on("readable", read);
  socket.once("error", leave);
  socket.once("end", leave);
  socket.once("close", leave);
  socket.once("timeout", leave);
}
