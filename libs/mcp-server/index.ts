export type { McpServerOptions } from "./mcp-server.ts";
export { createHeadwaterMcpServer } from "./mcp-server.ts";
