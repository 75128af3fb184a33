import type { CallToolResult, Tool as ServerTool, ToolAnnotations } from "@modelcontextprotocol/client";
import type { Tool, ToolOutcome } from "../tool.ts";
import { toolName } from "../tool-name.ts";
import type { McpConnection } from "./mcp-connection.ts";
import { isRefusal, reasonOf } from "./server-errors.ts";

/** @param needsApproval of the settings; undefined: as the tool's annotations say */
export function createMcpTool(
  connection: McpConnection,
  tool: ServerTool,
  needsApproval: boolean | undefined,
): Tool {
  return {
    name: toolName(connection.name, tool.name),
    description: tool.description ?? tool.title ?? tool.annotations?.title ?? tool.name,
    parameters: tool.inputSchema,
    source: `mcp:${connection.name}`,
    needsApproval: needsApproval ?? mayChange(tool.annotations),
    untrusted: true,
    async run(input, { signal }): Promise<ToolOutcome> {
      try {
        const result = await connection.call(tool.name, { ...input }, signal);
        return { text: connection.redact(textOf(result)), failed: result.isError === true };
      } catch (thrown) {
        if (!isRefusal(thrown)) throw thrown;
        return { text: connection.redact(`The server refused the call: ${reasonOf(thrown)}`), failed: true };
      }
    },
  };
}

/** As the specification has it: what does not say that it only reads may change something. */
function mayChange(annotations: ToolAnnotations | undefined): boolean {
  return annotations?.readOnlyHint !== true || annotations.destructiveHint === true;
}

type Content = NonNullable<CallToolResult["content"]>[number];

function textOf({ content, structuredContent }: CallToolResult): string {
  const text = content.map(partText).join("\n");
  return text === "" && structuredContent !== undefined ? JSON.stringify(structuredContent) : text;
}

function partText(part: Content): string {
  switch (part.type) {
    case "text":
      return part.text;
    case "image":
    case "audio":
      return `(${part.type}, ${part.mimeType}: not shown)`;
    case "resource_link":
      return `${part.title ?? part.name}: ${part.uri}`;
    case "resource":
      return "text" in part.resource
        ? `${part.resource.uri}:\n${part.resource.text}`
        : `(${part.resource.uri}: not shown)`;
  }
}
