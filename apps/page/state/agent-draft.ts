import type { Agent, NewAgent } from "@headwater/client";

/** An agent as the form has it: numbers as they are typed, "" for the default. */
export interface AgentDraft {
  readonly name: string;
  readonly description: string;
  readonly model: string;
  readonly preamble: string;
  readonly temperature: string;
  readonly topK: string;
  readonly maxSteps: string;
  readonly maxTokens: string;
  readonly maxSeconds: string;
  readonly maxCost: string;
  /** By name of the tool, whether each call needs approval. */
  readonly tools: ReadonlyMap<string, boolean>;
}

/** A new agent can search, and nothing else. */
export const emptyDraft: AgentDraft = {
  ...{ name: "", description: "", model: "", preamble: "", temperature: "", topK: "" },
  ...{ maxSteps: "", maxTokens: "", maxSeconds: "", maxCost: "" },
  tools: new Map([["search", false]]),
};

export function draftOf(agent: Agent): AgentDraft {
  const { name, description, model, preamble, temperature, topK, limits, tools } = agent;
  return {
    ...{ name, description, model, preamble },
    temperature: temperature === undefined ? "" : String(temperature),
    topK: typed(topK),
    maxSteps: typed(limits.maxSteps),
    maxTokens: typed(limits.maxTokens),
    maxSeconds: typed(limits.maxSeconds),
    maxCost: typed(limits.maxCost),
    tools: new Map(tools.map((tool) => [tool.name, tool.needsApproval])),
  };
}

export function agentOf(draft: AgentDraft): NewAgent {
  const { description, model, preamble } = draft;
  return {
    ...{ name: draft.name.trim(), description, model, preamble },
    ...(draft.temperature === "" ? {} : { temperature: Number(draft.temperature) }),
    topK: Number(draft.topK),
    tools: Array.from(draft.tools, ([name, needsApproval]) => ({ name, needsApproval })),
    limits: {
      maxSteps: Number(draft.maxSteps),
      maxTokens: Number(draft.maxTokens),
      maxSeconds: Number(draft.maxSeconds),
      maxCost: Number(draft.maxCost),
    },
  };
}

/** 0 stands for the default. */
function typed(value: number): string {
  return value === 0 ? "" : String(value);
}
