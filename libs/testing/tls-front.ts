import { once } from "node:events";
import type { Socket } from "node:net";
import { createServer } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import type { CertificateFiles } from "./certificates.ts";
import { openSocket, relay } from "./relay.ts";

/** What speaks TLS for a server that does not, so that a shared server need not be set up anew for a test. */
export interface TlsFront extends AsyncDisposable {
  readonly port: number;
  /** Handshakes that came to their end. */
  readonly handshakes: number;
}

export interface TlsFrontOptions {
  /** host:port of the server behind. */
  readonly address: string;
  readonly certificate: CertificateFiles;
  /** Default "at once"; "postgres": when the client asks for it, as PostgreSQL's protocol has it (section 54.2.11). */
  readonly begins?: "at once" | "postgres";
}

/** Length and code of an SSLRequest. */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

export async function startTlsFront({ address, certificate, begins }: TlsFrontOptions): Promise<TlsFront> {
  const secureContext = createSecureContext({ key: certificate["tls.key"], cert: certificate["tls.crt"] });
  const sockets = new Set<Socket>();
  let handshakes = 0;
  const protect = (near: Socket) => {
    const secure = new TLSSocket(near, { isServer: true, secureContext });
    secure.once("secure", () => {
      handshakes += 1;
    });
    relay(secure, openSocket(address), sockets);
  };
  const server = createServer({ noDelay: true }, (near) => {
    sockets.add(near);
    near.on("error", () => near.destroy());
    near.on("close", () => sockets.delete(near));
    if (begins !== "postgres") protect(near);
    else
      near.once("data", (asked) => {
        if (!asked.equals(sslRequest)) {
          near.destroy();
          return;
        }
        near.write("S");
        protect(near);
      });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  if (typeof bound !== "object" || bound === null) throw new TypeError("a TCP server has a port");
  return {
    port: bound.port,
    get handshakes() {
      return handshakes;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
