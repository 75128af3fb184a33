import type { Telemetry } from "@headwater/telemetry";
import { createMcpSource } from "./mcp/mcp-source.ts";
import { createOpenApiSource } from "./openapi/openapi-source.ts";
import { createSandboxSource } from "./sandbox/sandbox-source.ts";
import type { ToolSource } from "./tool.ts";
import type { ToolSettings } from "./tool-settings.ts";

/** The tools that HEADWATER_TOOLS_FILE adds to the built-in ones. Nothing is connected to before it is needed. */
export function createExternalTools(settings: ToolSettings, { log }: Telemetry): readonly ToolSource[] {
  return [
    ...settings.openapi.map((service) => createOpenApiSource(service)),
    ...settings.mcp.map((server) => createMcpSource(server, log)),
    ...(settings.sandbox ? [createSandboxSource(settings.sandbox)] : []),
  ];
}
