import type { CallOptions } from "@headwater/client";
import { HeadwaterClientError } from "@headwater/client";
import type { CallToolResult, ServerContext } from "@modelcontextprotocol/server";
import type { McpServerOptions } from "./mcp-server.ts";

/** The caller's options, ended also when the assistant cancels this one call. */
export function callOptions({ call }: McpServerOptions, { mcpReq }: ServerContext): CallOptions {
  const signal = call.signal ? AbortSignal.any([call.signal, mcpReq.signal]) : mcpReq.signal;
  return { ...call, signal };
}

/**
 * Runs a tool's work. Its value is sent as JSON of the output schema, and as text for assistants that do not read that; a
 * failure is told in words that help to do better.
 */
export async function toolResult<Value extends object>(
  work: () => Promise<Value>,
  asText: (value: Value) => string,
): Promise<CallToolResult> {
  try {
    const value = await work();
    return { content: [{ type: "text", text: asText(value) }], structuredContent: { ...value } };
  } catch (thrown) {
    const { message, action, reason } = HeadwaterClientError.from(thrown);
    const text = `${message}${action === "" ? "" : ` ${action}`} [${reason}]`;
    return { content: [{ type: "text", text }], isError: true };
  }
}

/** Tells how far a call has come, where the assistant asked to be told. `progress` has to grow. */
export async function tellProgress(
  { mcpReq }: ServerContext,
  progress: number,
  message: string,
): Promise<void> {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return;
  await mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress, message } });
}
