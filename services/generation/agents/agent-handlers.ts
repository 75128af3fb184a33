import { invalidArgument } from "@headwater/errors";
import type {
  Agent,
  AgentServiceImplementation,
  CreateAgentRequest,
  DeleteAgentRequest,
  GetAgentRequest,
  ListAgentsRequest,
  ListToolsRequest,
  UpdateAgentRequest,
} from "@headwater/proto/services/headwater/v1/agent";
import type { RpcContext } from "@headwater/rpc";
import { checkPageSize, checkTenant, checkUuid, decodePageToken, toPage } from "@headwater/rpc";
import type { CallContext } from "nice-grpc";
import type { Models } from "../models/models.ts";
import type { ToolRegistry } from "../tools/tool-registry.ts";
import { namesTool } from "../tools/tool-registry.ts";
import type { AgentDefinition, AgentRecord } from "./agent.ts";
import { checkAgent } from "./agent.ts";
import { checkModelServes } from "./agent-model.ts";
import type { AgentStore } from "./agent-store.ts";

export interface AgentHandlerParts {
  readonly agents: AgentStore;
  readonly registry: ToolRegistry;
  readonly models: Models;
}

/** The rpcs of AgentService. */
export class AgentHandlers implements AgentServiceImplementation<RpcContext> {
  readonly #parts: AgentHandlerParts;

  constructor(parts: AgentHandlerParts) {
    this.#parts = parts;
  }

  async createAgent(request: CreateAgentRequest, { signal }: CallContext) {
    const tenant = checkTenant(request.tenant);
    const definition = await this.#check(request.agent, tenant, signal);
    return { agent: toProto(await this.#parts.agents.create(tenant, definition)) };
  }

  async listAgents(request: ListAgentsRequest) {
    const tenant = checkTenant(request.tenant);
    const limit = checkPageSize(request.pageSize);
    const question = `agents/${tenant}`;
    const after = decodePageToken(question, request.pageToken) ?? "";
    const found = await this.#parts.agents.list(tenant, after, limit + 1);
    const { page, nextPageToken } = toPage(found, limit, question, ({ name }) => name);
    return { agents: page.map(toProto), nextPageToken };
  }

  async getAgent(request: GetAgentRequest) {
    const tenant = checkTenant(request.tenant);
    return { agent: toProto(await this.#parts.agents.get(tenant, checkUuid(request.id))) };
  }

  async updateAgent(request: UpdateAgentRequest, { signal }: CallContext) {
    const tenant = checkTenant(request.tenant);
    const definition = await this.#check(request.agent, tenant, signal);
    const id = checkUuid(request.agent?.id ?? "");
    const version = request.agent?.version ?? 0;
    return { agent: toProto(await this.#parts.agents.update(tenant, id, version, definition)) };
  }

  async deleteAgent(request: DeleteAgentRequest) {
    await this.#parts.agents.delete(checkTenant(request.tenant), checkUuid(request.id));
    return {};
  }

  async listTools(request: ListToolsRequest, { signal }: CallContext) {
    const { tools, unavailable } = await this.#parts.registry.tools(checkTenant(request.tenant), signal);
    return {
      tools: tools.map(({ name, description, parameters, source, needsApproval }) => ({
        ...{ name, description, source, needsApproval },
        parametersJson: JSON.stringify(parameters),
      })),
      unavailable: [...unavailable],
    };
  }

  /** Beyond the form: that its model and its tools are there, and go together. */
  async #check(agent: Agent | undefined, tenant: string, signal: AbortSignal): Promise<AgentDefinition> {
    const { models, registry } = this.#parts;
    const definition = checkAgent(agent);
    if (definition.model !== "") checkModelServes(definition, models.find(definition.model));
    if (definition.tools.length > 0) await checkToolsExist(definition, registry, tenant, signal);
    return definition;
  }
}

/** While a source of tools is down, its tools cannot be told from misspelt ones, and may be named. */
async function checkToolsExist(
  { tools: named }: AgentDefinition,
  registry: ToolRegistry,
  tenant: string,
  signal: AbortSignal,
): Promise<void> {
  const { tools, unavailable } = await registry.tools(tenant, signal);
  const missing = named.find(({ name }) => !tools.some((tool) => namesTool(name, tool.name)));
  if (missing === undefined || unavailable.length > 0) return;
  throw invalidArgument(
    "HW_TOOL_UNKNOWN",
    `There is no tool "${missing.name}".`,
    `There are: ${tools.map(({ name }) => name).join(", ")}.`,
  );
}

function toProto({ tenant: _, ...agent }: AgentRecord): Agent {
  return { ...agent, tools: [...agent.tools] };
}
