import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Agent, AgentService } from "@headwater/proto/connect/headwater/v1/agent";
import { AgentSchema } from "@headwater/proto/connect/headwater/v1/agent";

const tools = [
  ["calculator", "Calculates exactly, with units.", "built-in", false],
  ["files_write", "Writes a file.", "mcp:files", true],
  ["search", "Searches the documents.", "built-in", false],
] as const;

/** The agent service over agents in memory. */
export function agentDouble(agents: Map<string, Agent>): Partial<ServiceImpl<typeof AgentService>> {
  const store = (agent: Agent | undefined, id: string, version: number) => {
    const stored = agent ?? create(AgentSchema);
    Object.assign(stored, { id, version });
    agents.set(id, stored);
    return { agent: stored };
  };
  return {
    createAgent({ agent }) {
      if ([...agents.values()].some(({ name }) => name === agent?.name))
        throw new ConnectError(`There is an agent ${agent?.name} already.`, Code.AlreadyExists);
      return store(agent, `00000000-0000-4000-9000-${String(agents.size + 1).padStart(12, "0")}`, 1);
    },
    listAgents: () => ({ agents: [...agents.values()] }),
    updateAgent: ({ agent }) => store(agent, agent?.id ?? "", (agent?.version ?? 0) + 1),
    deleteAgent({ id }) {
      agents.delete(id);
      return {};
    },
    listTools: () => ({
      tools: tools.map(([name, description, source, needsApproval]) => ({
        ...{ name, description, source, needsApproval },
      })),
      unavailable: ["mcp:weather: the server does not answer"],
    }),
  };
}
