import { estimateTokens } from "@headwater/text";
import type { Tool } from "../tools/tool.ts";
import type { ToolRegistry } from "../tools/tool-registry.ts";
import { namesTool } from "../tools/tool-registry.ts";
import type { AgentDefinition } from "./agent.ts";

/** A tool as one agent has it. */
export interface AgentTool {
  readonly tool: Tool;
  /** The tool's own wish, or the agent's. */
  readonly needsApproval: boolean;
}

/** The tools of an agent that are there now: those of a server that is down are missing for this turn. */
export async function toolsOf(
  { tools: named }: AgentDefinition,
  registry: ToolRegistry,
  tenant: string,
  signal: AbortSignal,
): Promise<AgentTool[]> {
  const { tools } = await registry.tools(tenant, signal);
  return tools.flatMap((tool) => {
    const entries = named.filter(({ name }) => namesTool(name, tool.name));
    if (entries.length === 0) return [];
    return [{ tool, needsApproval: tool.needsApproval || entries.some((entry) => entry.needsApproval) }];
  });
}

/** Tokens that a model reads to know its tools. */
export function tokensOfTools(tools: readonly AgentTool[]): number {
  return tools.reduce((sum, { tool: { name, description, parameters } }) => {
    return sum + estimateTokens(name + description + JSON.stringify(parameters));
  }, 0);
}
