import { once } from "node:events";
import type { Socket } from "node:net";
import { connect, createServer } from "node:net";

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
  const at = address.lastIndexOf(":");
  const target = { host: address.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(address.slice(at + 1)) };
  const sockets = new Set<Socket>();
  let frozen = false;
  let connections = 0;
  const carry = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.on("data", (bytes) => to.write(bytes));
    // Either end goes with the other; that is what the test wants, or will see.
    from.on("error", () => to.destroy());
    from.on("close", () => {
      sockets.delete(from);
      to.destroy();
    });
    if (frozen) from.pause();
  };
  // A small message must not wait for the acknowledgement of the one before: on the real way it would not.
  const server = createServer({ noDelay: true }, (near) => {
    connections += 1;
    const far = connect({ ...target, noDelay: true });
    carry(near, far);
    carry(far, near);
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
