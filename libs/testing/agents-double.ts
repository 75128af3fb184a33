import { HeadwaterError, status } from "@headwater/errors";
import type { Agent, AgentServiceDefinition } from "@headwater/proto/services/headwater/v1/agent";
import type { RpcContext } from "@headwater/rpc";
import type { ServiceImplementation } from "nice-grpc";
import type { EnterDouble } from "./double-call.ts";
import { doubleTime, notFound } from "./double-call.ts";

/** Agents in memory, of all tenants together. */
export function agentsDouble(enter: EnterDouble): ServiceImplementation<AgentServiceDefinition, RpcContext> {
  const agents = new Map<string, Agent>();
  const find = (id: string) => {
    const found = agents.get(id);
    if (found) return found;
    throw notFound("HW_AGENT_NOT_FOUND", "agent");
  };
  const save = (agent: Agent | undefined, id: string, version: number) => {
    if (!agent) throw notFound("HW_AGENT_NOT_FOUND", "agent");
    const saved = { ...agent, id, version, createdTime: doubleTime, updatedTime: doubleTime };
    agents.set(id, saved);
    return { agent: saved };
  };
  return {
    async createAgent(request, context) {
      await enter(request.agent?.name ?? "", request, context);
      return save(request.agent, `agent-${agents.size + 1}`, 1);
    },
    async listAgents(request, context) {
      await enter("", request, context);
      return { agents: [...agents.values()], nextPageToken: "" };
    },
    async getAgent(request, context) {
      await enter("", request, context);
      return { agent: find(request.id) };
    },
    async updateAgent(request, context) {
      await enter("", request, context);
      const { id = "", version = 0 } = request.agent ?? {};
      const before = find(id);
      if (version !== 0 && version !== before.version) {
        throw new HeadwaterError({
          code: status.ABORTED,
          reason: "HW_AGENT_CHANGED",
          message: "The agent was changed by somebody else.",
          action: "Read it again.",
        });
      }
      return save(request.agent, id, before.version + 1);
    },
    async deleteAgent(request, context) {
      await enter("", request, context);
      agents.delete(request.id);
      return {};
    },
    async listTools(request, context) {
      await enter("", request, context);
      const calculator = { name: "calculator", description: "Counts.", parametersJson: "{}" };
      return {
        tools: [{ ...calculator, source: "built-in", needsApproval: true }],
        unavailable: ["weather: does not answer"],
      };
    },
  };
}
