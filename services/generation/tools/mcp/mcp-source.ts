import { setTimeout as delay } from "node:timers/promises";
import { HeadwaterError } from "@headwater/errors";
import type { Logger } from "@headwater/telemetry";
import type { ToolListing, ToolSource } from "../tool.ts";
import type { McpSettings } from "../tool-settings.ts";
import { McpConnection } from "./mcp-connection.ts";
import { createMcpTool } from "./mcp-tool.ts";
import { serverUnavailable } from "./server-errors.ts";

/** Milliseconds that a turn waits for a server's tools. The server may go on starting, and has them for a later turn. */
const maxWaitMs = 4000;

/** The tools of one MCP server. */
export function createMcpSource(settings: McpSettings, log: Logger): ToolSource {
  const connection = new McpConnection(settings, log);
  return {
    async tools(_tenant, signal): Promise<ToolListing> {
      try {
        const tools = await within(connection, signal);
        return {
          tools: tools.map((tool) => createMcpTool(connection, tool, settings.needsApproval)),
          unavailable: [],
        };
      } catch (thrown) {
        signal.throwIfAborted();
        return { tools: [], unavailable: [`${settings.name}: ${HeadwaterError.from(thrown).message}`] };
      }
    },
    close: () => connection.close(),
  };
}

async function within(connection: McpConnection, signal: AbortSignal) {
  signal.throwIfAborted();
  const done = new AbortController();
  const waiting = delay(maxWaitMs, undefined, { signal: AbortSignal.any([signal, done.signal]) });
  try {
    const tools = await Promise.race([connection.tools(), waiting]);
    if (tools) return tools;
    throw serverUnavailable(connection.name, "it is still starting");
  } finally {
    done.abort();
  }
}
