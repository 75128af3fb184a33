import { invalidArgument } from "@headwater/errors";
import type { Agent, AgentLimits, AgentTool } from "@headwater/proto/services/headwater/v1/agent";
import { checkText } from "@headwater/rpc";
import { checkLimit, checkTemperature } from "../request-checks.ts";

/** What people say of an agent, checked, with all defaults filled in. */
export interface AgentDefinition {
  /** Unique within the tenant. */
  readonly name: string;
  readonly description: string;
  /** Empty: the default model, whichever that is when it runs. */
  readonly model: string;
  readonly preamble: string;
  readonly temperature?: number;
  /** Passages that one search brings. */
  readonly topK: number;
  readonly tools: readonly AgentTool[];
  readonly limits: AgentLimits;
}

/** An agent as it is kept. */
export interface AgentRecord extends AgentDefinition {
  readonly id: string;
  readonly tenant: string;
  readonly version: number;
  readonly createdTime: Date;
  readonly updatedTime: Date;
}

const maxTools = 128;
/** Of uint32. */
const anyNumber = 2 ** 32 - 1;

/**
 * An agent as proto/headwater/v1/agent.proto allows it.
 *
 * @throws HeadwaterError INVALID_ARGUMENT
 */
export function checkAgent(agent: Agent | undefined): AgentDefinition {
  if (!agent) throw invalidArgument("HW_AGENT_MISSING", "There is no agent in the request.");
  const temperature = checkTemperature(agent.temperature);
  return {
    name: checkText("name", agent.name, { min: 1, max: 128 }),
    description: checkText("description", agent.description, { min: 0, max: 1024 }),
    model: checkText("model", agent.model, { min: 0, max: 200 }),
    preamble: checkText("preamble", agent.preamble, { min: 0, max: 16_384 }),
    ...(temperature === undefined ? {} : { temperature }),
    topK: checkLimit("top_k", agent.topK, 8, 50),
    tools: checkTools(agent.tools),
    limits: checkLimits(agent.limits),
  };
}

function checkLimits(limits: AgentLimits | undefined): AgentLimits {
  const maxCost = limits?.maxCost ?? 0;
  if (!(maxCost >= 0 && Number.isFinite(maxCost))) {
    throw invalidArgument("HW_LIMIT_INVALID", "max_cost is not a sum of dollars.", "Send 0 or more.");
  }
  return {
    maxSteps: checkLimit("max_steps", limits?.maxSteps ?? 0, 8, 64),
    maxTokens: checkLimit("max_tokens", limits?.maxTokens ?? 0, 100_000, anyNumber),
    maxSeconds: checkLimit("max_seconds", limits?.maxSeconds ?? 0, 120, 3600),
    maxCost,
  };
}

function checkTools(tools: readonly AgentTool[]): AgentTool[] {
  if (tools.length > maxTools) {
    throw invalidArgument(
      "HW_AGENT_TOOLS_INVALID",
      `The agent names ${tools.length} tools, more than ${maxTools}.`,
      'Name a server\'s tools by "prefix*".',
    );
  }
  const names = new Set<string>();
  for (const { name } of tools) {
    if (!/^(?=.{1,64}$)[A-Za-z0-9_-]*\*?$/.test(name)) {
      throw invalidArgument(
        "HW_AGENT_TOOLS_INVALID",
        "The name of a tool is not valid.",
        'Use 1 to 64 of A-Z a-z 0-9 _ -, or "prefix*" for several.',
      );
    }
    if (names.has(name)) {
      throw invalidArgument("HW_AGENT_TOOLS_INVALID", `The tool "${name}" is named twice.`, "Name it once.");
    }
    names.add(name);
  }
  return [...tools];
}
