import { once } from "node:events";
import type { Socket } from "node:net";
import { createServer } from "node:net";
import { openSocket, relay } from "./relay.ts";

/** A way to a server on loopback that can be cut and restored, so that tests need not stop a server that is shared. */
export interface FlakyServer {
  readonly port: number;
  /** Connections that were made so far. */
  readonly connections: number;
  /** Cuts all connections; until `restore` new ones are refused. */
  cut(): Promise<void>;
  /** Cuts all connections; new ones are taken. */
  shake(): void;
  /** Nothing passes in either direction, and nobody is told; until `restore`. */
  freeze(): void;
  restore(): Promise<void>;
  close(): Promise<void>;
}

/** @param address host:port of the real server */
export async function startFlakyServer(address: string): Promise<FlakyServer> {
  const sockets = new Set<Socket>();
  let frozen = false;
  let connections = 0;
  // A small message must not wait for the acknowledgement of the one before: on the real way it would not.
  const server = createServer({ noDelay: true }, (near) => {
    connections += 1;
    const far = openSocket(address);
    relay(near, far, sockets);
    if (frozen) for (const socket of [near, far]) socket.pause();
  });
  const listen = async (port: number) => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  };
  const shake = () => {
    for (const socket of sockets) socket.destroy();
  };
  await listen(0);
  const bound = server.address();
  if (typeof bound !== "object" || bound === null) throw new TypeError("a TCP server has a port");
  const cut = async () => {
    const closed = once(server, "close");
    if (!server.listening) return;
    server.close();
    shake();
    await closed;
  };
  return {
    port: bound.port,
    get connections() {
      return connections;
    },
    cut,
    shake,
    freeze() {
      frozen = true;
      for (const socket of sockets) socket.pause();
    },
    async restore() {
      frozen = false;
      for (const socket of sockets) socket.resume();
      if (!server.listening) await listen(bound.port);
    },
    close: cut,
  };
}
