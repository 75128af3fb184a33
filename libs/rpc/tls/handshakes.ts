import { tracingChannel } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { Server } from "node:tls";
import { clientFaultOf } from "./handshake-fault.ts";
import type { TlsIdentity } from "./tls-identity.ts";

/**
 * Listens, and from then on counts and logs the handshakes that fail. grpc-js keeps its TLS servers to itself, but Node
 * tells of every server that listens.
 *
 * @param listen resolves with the port
 */
export async function listenWatched(identity: TlsIdentity, listen: () => Promise<number>): Promise<number> {
  const servers: Server[] = [];
  const collect = (message: unknown) => {
    if (message instanceof Object && "server" in message && message.server instanceof Server)
      servers.push(message.server);
  };
  const listening = tracingChannel("net.server.listen").asyncEnd;
  listening.subscribe(collect);
  try {
    const port = await listen();
    const own = servers.filter((server) => portOf(server) === port);
    if (own.length === 0) throw new TypeError("Node did not tell of the TLS server that listens");
    for (const server of own) watch(server, identity);
    return port;
  } finally {
    listening.unsubscribe(collect);
  }
}

function watch(server: Server, identity: TlsIdentity): void {
  server.on("connection", rememberPeer);
  server.on("tlsClientError", (error, socket) => {
    const fault = clientFaultOf(error, socket.authorizationError);
    identity.refuse(fault, { peer: peerOf(socket), why: String(socket.authorizationError ?? error.message) });
  });
}

/** Asked for once, Node still knows the address when the connection is gone. */
function rememberPeer(socket: Socket): void {
  void socket.remoteAddress;
}

/** The handshake's socket is a layer over the one that was accepted, and has no address any more. */
function peerOf(secured: Socket): string | undefined {
  const accepted: unknown = Reflect.get(secured, "_parent");
  return accepted instanceof Object && "remoteAddress" in accepted
    ? String(accepted.remoteAddress)
    : secured.remoteAddress;
}

function portOf(server: Server): number | undefined {
  const address = server.address();
  return typeof address === "object" ? address?.port : undefined;
}
