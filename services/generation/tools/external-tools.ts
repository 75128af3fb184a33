import type { Telemetry } from "@headwater/telemetry";
import type { ToolSource } from "./tool.ts";
import type { ToolSettings } from "./tool-settings.ts";

/**
 * The tools that HEADWATER_TOOLS_FILE adds to the built-in ones. Nothing is connected to before it is needed, and what
 * is not configured is not loaded: it would take 0.15 s of processor time from every start.
 */
export async function createExternalTools(
  { openapi, mcp, sandbox }: ToolSettings,
  { log }: Telemetry,
): Promise<readonly ToolSource[]> {
  const sources: ToolSource[] = [];
  if (openapi.length > 0) {
    const { createOpenApiSource } = await import("./openapi/openapi-source.ts");
    sources.push(...openapi.map((service) => createOpenApiSource(service)));
  }
  if (mcp.length > 0) {
    const { createMcpSource } = await import("./mcp/mcp-source.ts");
    sources.push(...mcp.map((server) => createMcpSource(server, log)));
  }
  if (sandbox) {
    const { createSandboxSource } = await import("./sandbox/sandbox-source.ts");
    sources.push(createSandboxSource(sandbox));
  }
  return sources;
}
