import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import type {
  Agent as AgentMessage,
  AgentSchema,
  AgentService,
} from "@headwater/proto/connect/headwater/v1/agent";
import type { CallOptions, Identity, ListPageOptions } from "./call.ts";
import { connectOptions, pageOf, unary } from "./call.ts";
import { toDate } from "./document.ts";

/** A tool of an agent. */
export interface AgentTool {
  /** Name from `tools()`, or "prefix*" for all tools of a server. */
  readonly name: string;
  /** Each call waits for `turns.decide`, also where the tool itself does not ask for it. Default false. */
  readonly needsApproval?: boolean;
}

/** When an agent has to end; 0 or absent: the default. */
export interface AgentLimits {
  /** Model calls, 1 to 64. Default 8. */
  readonly maxSteps?: number;
  /** Tokens read and written by all model calls. Default 100,000. */
  readonly maxTokens?: number;
  /** Seconds, waiting for approval not counted, 1 to 3,600. Default 120. */
  readonly maxSeconds?: number;
  /** US dollars. Default: no limit. */
  readonly maxCost?: number;
}

/** What an agent is made of. */
export interface NewAgent {
  /** Unique within the tenant. */
  readonly name: string;
  readonly description?: string;
  /** Name of a language model. Default: the server's. */
  readonly model?: string;
  /** What the model is told about its task. */
  readonly preamble?: string;
  /** 0 to 2. Default: the model's. */
  readonly temperature?: number;
  /** Passages that one search brings, 1 to 50. Default 8. */
  readonly topK?: number;
  readonly tools?: readonly AgentTool[];
  readonly limits?: AgentLimits;
}

/** An agent: a model with tools. */
export interface Agent {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** Empty: the default one. */
  readonly model: string;
  readonly preamble: string;
  readonly temperature: number | undefined;
  readonly topK: number;
  readonly tools: readonly Required<AgentTool>[];
  readonly limits: Required<AgentLimits>;
  /** Grows with each update. */
  readonly version: number;
  readonly createdTime: Date | undefined;
  readonly updatedTime: Date | undefined;
}

/** A tool that agents may have. */
export interface Tool {
  readonly name: string;
  /** What it does, as the model reads it. */
  readonly description: string;
  /** JSON Schema of its arguments. */
  readonly parametersJson: string;
  /** "built-in", "openapi:NAME", "mcp:NAME" or "sandbox". */
  readonly source: string;
  readonly needsApproval: boolean;
}

export interface UpdateAgentOptions extends CallOptions {
  /** The version that was read; the update fails with ABORTED where there is another. Default: whatever it is. */
  version?: number;
}

export interface Agents {
  create(agent: NewAgent, options?: CallOptions): Promise<Agent>;
  /** By name. */
  list(options?: ListPageOptions): Promise<{ agents: Agent[]; nextPageToken: string }>;
  /** All pages of `list`, one after the other. */
  all(options?: CallOptions): AsyncGenerator<Agent, void, undefined>;
  get(id: string, options?: CallOptions): Promise<Agent>;
  /** Replaces an agent whole; what is left out gets its default. */
  update(id: string, agent: NewAgent, options?: UpdateAgentOptions): Promise<Agent>;
  /** Its conversations stay, and are answered without it; twice is harmless. */
  delete(id: string, options?: CallOptions): Promise<void>;
}

/** The most that a page may hold. */
const largestPage = 200;

export function createAgents(service: Client<typeof AgentService>, identity: Identity): Agents {
  const agents: Agents = {
    async *all(options = {}) {
      let pageToken = "";
      do {
        const page = await agents.list({ ...options, pageSize: largestPage, pageToken });
        yield* page.agents;
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
    },
    async create(agent, options = {}) {
      const request = { tenant: identity.tenantOf(options), agent: agentMessage(agent) };
      return toAgent((await unary(service.createAgent(request, connectOptions(options)))).agent);
    },
    async list(options = {}) {
      const request = { tenant: identity.tenantOf(options), ...pageOf(options) };
      const page = await unary(service.listAgents(request, connectOptions(options)));
      return { agents: page.agents.map(toAgent), nextPageToken: page.nextPageToken };
    },
    async get(id, options = {}) {
      const request = { tenant: identity.tenantOf(options), id };
      return toAgent((await unary(service.getAgent(request, connectOptions(options)))).agent);
    },
    async update(id, agent, options = {}) {
      const changed = { ...agentMessage(agent), id, version: options.version ?? 0 };
      const request = { tenant: identity.tenantOf(options), agent: changed };
      return toAgent((await unary(service.updateAgent(request, connectOptions(options)))).agent);
    },
    async delete(id, options = {}) {
      const request = { tenant: identity.tenantOf(options), id };
      await unary(service.deleteAgent(request, connectOptions(options)));
    },
  };
  return agents;
}

/** The tools that agents may have, and the sources of tools that do not answer, as "name: why". */
export async function listTools(
  service: Client<typeof AgentService>,
  tenant: string,
  options: CallOptions,
): Promise<{ tools: Tool[]; unavailable: string[] }> {
  const { tools, unavailable } = await unary(service.listTools({ tenant }, connectOptions(options)));
  return {
    tools: tools.map(({ name, description, parametersJson, source, needsApproval }) => ({
      ...{ name, description, parametersJson, source, needsApproval },
    })),
    unavailable,
  };
}

function agentMessage(agent: NewAgent): MessageInitShape<typeof AgentSchema> {
  const { limits = {} } = agent;
  return {
    name: agent.name,
    description: agent.description ?? "",
    model: agent.model ?? "",
    preamble: agent.preamble ?? "",
    ...(agent.temperature === undefined ? {} : { temperature: agent.temperature }),
    topK: agent.topK ?? 0,
    tools: (agent.tools ?? []).map(({ name, needsApproval = false }) => ({ name, needsApproval })),
    limits: {
      maxSteps: limits.maxSteps ?? 0,
      maxTokens: limits.maxTokens ?? 0,
      maxSeconds: limits.maxSeconds ?? 0,
      maxCost: limits.maxCost ?? 0,
    },
  };
}

function toAgent(message: AgentMessage | undefined): Agent {
  return {
    id: message?.id ?? "",
    name: message?.name ?? "",
    description: message?.description ?? "",
    model: message?.model ?? "",
    preamble: message?.preamble ?? "",
    temperature: message?.temperature,
    topK: message?.topK ?? 0,
    tools: (message?.tools ?? []).map(({ name, needsApproval }) => ({ name, needsApproval })),
    limits: {
      maxSteps: message?.limits?.maxSteps ?? 0,
      maxTokens: message?.limits?.maxTokens ?? 0,
      maxSeconds: message?.limits?.maxSeconds ?? 0,
      maxCost: message?.limits?.maxCost ?? 0,
    },
    version: message?.version ?? 0,
    createdTime: toDate(message?.createdTime),
    updatedTime: toDate(message?.updatedTime),
  };
}
