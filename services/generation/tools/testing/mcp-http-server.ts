import { once } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import type { McpServer } from "@modelcontextprotocol/server";
import { createMcpHandler } from "@modelcontextprotocol/server";

/** For tests: an MCP server over streamable HTTP on loopback. */
export interface McpHttpServer {
  readonly url: string;
  readonly port: number;
  /** Of each request. */
  readonly seen: IncomingHttpHeaders[];
  close(): Promise<void>;
}

/** @param port default: a free one */
export async function startMcpHttpServer(create: () => McpServer, port = 0): Promise<McpHttpServer> {
  const handler = createMcpHandler(create);
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer(async (incoming, outgoing) => {
    seen.push(incoming.headers);
    const chunks = await incoming.toArray();
    const left = new AbortController();
    outgoing.once("close", () => left.abort());
    const response = await handler.fetch(
      new Request(`http://${incoming.headers.host}${incoming.url}`, {
        method: incoming.method ?? "GET",
        headers: incoming.headers as Record<string, string>,
        body: chunks.length === 0 ? null : Buffer.concat(chunks),
        signal: left.signal,
      }),
    );
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    // A caller who leaves breaks the pipeline; that is what the test wants.
    await pipeline(response.body ?? [], outgoing).catch(() => {});
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${bound}/mcp`,
    port: bound,
    seen,
    async close() {
      const closed = once(server, "close");
      server.close();
      await handler.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
