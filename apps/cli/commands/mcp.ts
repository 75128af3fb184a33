import { once } from "node:events";
import { createHeadwaterMcpServer } from "@headwater/mcp-server";
import { StdioServerTransport, serveStdio } from "@modelcontextprotocol/server/stdio";
import type { Command } from "commander";
import type { Connection, ConnectionOptions } from "../connection.ts";
import { withClient, withConnection } from "../connection.ts";

export function addMcpCommand(program: Command): void {
  const command = program
    .command("mcp")
    .description("serve the documents to an assistant over standard input and output, as an MCP server");
  withConnection(command).action((options: ConnectionOptions) => withClient(options, serve));
}

/** Ends when the assistant closes the input, or on Ctrl-C. */
async function serve({ client, output, signal }: Connection): Promise<void> {
  const transport = new StdioServerTransport();
  const leaving = new AbortController();
  const call = { signal: AbortSignal.any([signal, leaving.signal]) };
  const handle = serveStdio(() => createHeadwaterMcpServer({ client, call }), {
    transport,
    onerror: (error) => output.note(`mcp: ${error.message}`),
  });
  await Promise.race([once(process.stdin, "end"), once(process.stdin, "close"), aborted(signal)]);
  leaving.abort();
  await handle.close();
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}
