import type {
  FinishReason,
  LanguageModel,
  ModelEvent,
  ModelRequest,
  ToolCalling,
} from "@headwater/language-model";
import type { AgentLimits } from "@headwater/proto/services/headwater/v1/agent";
import type { ChatResponse, TurnEnd } from "@headwater/proto/services/headwater/v1/conversation";
import { Hit } from "@headwater/proto/services/headwater/v1/search";
import type { AgentDefinition, AgentRecord } from "../agents/agent.ts";
import { AgentRun } from "../agents/agent-run.ts";
import { toolsOf } from "../agents/agent-tools.ts";
import type { Tool } from "../tools/tool.ts";
import { createToolRegistry } from "../tools/tool-registry.ts";
import type { Turn, TurnContext } from "../turns/turn.ts";

/** What a scripted model says in one call: text, calls, or anything else that a model streams. */
export type Said = string | { readonly call: string; readonly input: unknown } | ModelEvent;

/** A model that says what it was told to, one entry a call; a function sees the request first. */
export type Script = readonly (
  | readonly Said[]
  | ((request: ModelRequest, signal: AbortSignal) => AsyncIterable<Said>)
)[];

export interface ScriptedModel extends LanguageModel {
  readonly requests: readonly ModelRequest[];
}

export function createScriptedModel(
  script: Script,
  options: { toolCalling?: ToolCalling; contextTokens?: number; usage?: Partial<typeof usualUsage> } = {},
): ScriptedModel {
  const requests: ModelRequest[] = [];
  return {
    requests,
    name: "scripted",
    provider: "openai-compatible",
    toolCalling: options.toolCalling ?? "native",
    contextTokens: options.contextTokens ?? 100_000,
    async *generate(request, signal) {
      const said = script[requests.length] ?? ["Final Answer: Nothing was scripted."];
      requests.push(request);
      let reason: FinishReason = "complete";
      let calls = 0;
      for await (const one of typeof said === "function" ? said(request, signal) : said) {
        signal.throwIfAborted();
        if (typeof one === "string") yield { type: "text", text: one };
        else if ("type" in one) {
          if (one.type === "finish") reason = one.reason;
          else yield one;
        } else {
          calls += 1;
          reason = "tool-calls";
          const written = typeof one.input === "string" ? one.input : JSON.stringify(one.input);
          yield {
            type: "tool-call",
            call: { id: `c${requests.length}.${calls}`, name: one.call, arguments: written },
          };
        }
      }
      yield { type: "finish", reason, usage: { ...usualUsage, ...options.usage }, model: "scripted" };
    },
    close: async () => {},
  };
}

const usualUsage = { inputTokens: 100, outputTokens: 10, cost: 0 };

/** A tool that answers with what `run` gives. */
export function createTool(name: string, run: Tool["run"], more: Partial<Tool> = {}): Tool {
  return {
    name,
    description: `The tool ${name}.`,
    parameters: {
      type: "object",
      properties: { query: { type: "string" } },
      required: ["query"],
      additionalProperties: false,
    },
    source: "built-in",
    needsApproval: false,
    untrusted: true,
    run,
    ...more,
  };
}

/** A search over fixed documents: all whose text holds the query. */
export function createSearchDouble(documents: Readonly<Record<string, string>>): Tool {
  return createTool("search", async ({ query }, { cite }) => {
    const hits = Object.entries(documents).flatMap(([id, text]) =>
      text.toLowerCase().includes(String(query).toLowerCase())
        ? [
            Hit.fromPartial({
              passageId: `default/${id}/1/0`,
              text,
              document: { id, version: 1, title: id, uri: `https://source.example/${id}` },
              location: { range: { start: 0, end: text.length } },
            }),
          ]
        : [],
    );
    const numbers = cite(hits);
    const told = hits.map((hit, index) => `Source ${numbers[index]}.\n${hit.text.replace(/^/gm, "| ")}`);
    return { text: told.join("\n\n") || "No passages were found.", failed: false };
  });
}

export interface RunOptions {
  readonly model: LanguageModel;
  readonly tools?: readonly Tool[];
  readonly agent?: Partial<Omit<AgentDefinition, "limits">> & { readonly limits?: Partial<AgentLimits> };
  readonly turn?: Partial<Turn>;
  readonly waitForApproval?: TurnContext["waitForApproval"];
  readonly signal?: AbortSignal;
  readonly linkHosts?: readonly string[];
  readonly toolTimeoutMs?: number;
}

/** An event of a turn, as it was streamed. */
export interface RanEvent {
  readonly step: number;
  readonly event: NonNullable<ChatResponse["event"]>;
}

/** What a turn streamed. */
export interface Ran {
  readonly events: readonly RanEvent[];
  /** The answer as people see it. */
  readonly text: string;
  readonly thoughts: string;
  readonly end: TurnEnd;
}

/** Runs one turn of an agent that has all the tools given. */
export async function runAgent(options: RunOptions): Promise<Ran> {
  const { model, tools = [], signal = new AbortController().signal } = options;
  if (model.toolCalling === "none") throw new RangeError("such a model runs no agent");
  const agent: AgentRecord = {
    ...{ id: "a", tenant: "default", version: 1, createdTime: new Date(), updatedTime: new Date() },
    ...{ name: "agent", description: "", model: "", preamble: "", topK: 8 },
    tools: [{ name: "*", needsApproval: false }],
    ...options.agent,
    limits: { maxSteps: 8, maxTokens: 100_000, maxSeconds: 120, maxCost: 0, ...options.agent?.limits },
  };
  const turn: Turn = {
    ...{ id: "t", tenant: "default", owner: "default", conversationId: "", filter: undefined, prompt: "" },
    ...{ message: "Why?", standaloneQuestion: "Why?", history: [], memories: [], model },
    ...{ maxPassages: 8, maxOutputTokens: 256, temperature: undefined },
    ...options.turn,
  };
  const registry = createToolRegistry([
    { tools: async () => ({ tools, unavailable: [] }), close: async () => {} },
  ]);
  const run = new AgentRun({
    ...{ agent, turn, prompt: undefined, protocol: model.toolCalling },
    tools: await toolsOf(agent, registry, turn.tenant, signal),
    parts: {
      ...{ registry, rank: async () => undefined, linkHosts: options.linkHosts ?? [] },
      toolTimeoutMs: options.toolTimeoutMs ?? 30_000,
      approvalTimeoutMs: 60_000,
    },
    context: { signal, waitForApproval: options.waitForApproval ?? (async () => false) },
  });
  const events: RanEvent[] = [];
  try {
    for await (const event of run.events()) events.push(event as RanEvent);
  } finally {
    run.close();
  }
  return toRan(events);
}

function toRan(events: readonly RanEvent[]): Ran {
  const textsOf = (wanted: "text" | "thought") =>
    events.map(({ event }) => (event.$case === wanted ? event.value.text : "")).join("");
  const last = events.at(-1)?.event;
  if (last?.$case !== "end") throw new RangeError("the turn did not end");
  return { events, text: textsOf("text"), thoughts: textsOf("thought"), end: last.value };
}
