import type { GenerationMetrics } from "../metrics.ts";
import type { Prompts, ResolvedPrompt } from "../prompts/prompts.ts";
import type { RunTurn, Turn } from "../turns/turn.ts";
import type { FindAgent } from "../turns/turn-runner.ts";
import type { AgentRecord } from "./agent.ts";
import { checkModelServes } from "./agent-model.ts";
import { observeAgent } from "./agent-observer.ts";
import type { AgentParts } from "./agent-run.ts";
import { AgentRun } from "./agent-run.ts";
import type { AgentStore } from "./agent-store.ts";
import { toolsOf } from "./agent-tools.ts";

/** What turns that agents answer are made with. */
export interface AgentTurnParts extends AgentParts {
  /** Answers for models that cannot call tools. */
  readonly answer: RunTurn;
  readonly prompts: Prompts;
  readonly metrics: GenerationMetrics;
}

/** Finds agents for turns. */
export function createFindAgent(agents: AgentStore, parts: AgentTurnParts): FindAgent {
  return async (tenant, id) => {
    const agent = await agents.find(tenant, id);
    if (!agent) return undefined;
    const { model, temperature, topK: maxPassages } = agent;
    return { id, model, temperature, maxPassages, run: createAgentTurn(agent, parts) };
  };
}

/** Answers turns with an agent. */
export function createAgentTurn(agent: AgentRecord, parts: AgentTurnParts): RunTurn {
  return async function* agentTurn(turn, context) {
    const { model } = turn;
    checkModelServes(agent, model);
    if (model.toolCalling === "none") {
      const text = `The model "${model.name}" cannot call tools; the answer comes from one search of the documents.`;
      yield { step: 0, event: { $case: "thought", value: { text } } };
      yield* parts.answer(turn, context);
      return;
    }
    const tools = await toolsOf(agent, parts.registry, turn.tenant, context.signal);
    const prompt = turn.prompt === "" ? undefined : await resolvePrompt(turn, parts.prompts);
    const run = new AgentRun({ agent, tools, parts, turn, context, prompt, protocol: model.toolCalling });
    try {
      yield* observeAgent(run.events(), model.name, parts.metrics);
    } finally {
      run.close();
    }
  };
}

/** A prompt that the turn names stands in place of the agent's preamble. */
function resolvePrompt(turn: Turn, prompts: Prompts): Promise<ResolvedPrompt> {
  return prompts.resolve(turn.tenant, turn.prompt, `${turn.owner}/${turn.conversationId || turn.id}`);
}
