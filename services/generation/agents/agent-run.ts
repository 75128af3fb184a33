import { randomBytes } from "node:crypto";
import type { FinishReason, ModelMessage, ModelRequest, ToolCall } from "@headwater/language-model";
import { TurnEndReason } from "@headwater/proto/services/headwater/v1/conversation";
import { saysNothing } from "../answer/answer.ts";
import { tokensOf } from "../answer/history-room.ts";
import type { RankSentences } from "../answer/sentence-ranking.ts";
import type { AgentConfig } from "../config.ts";
import type { ResolvedPrompt } from "../prompts/prompts.ts";
import type { ToolRegistry } from "../tools/tool-registry.ts";
import type { StepEvent, Turn, TurnContext, TurnEvent } from "../turns/turn.ts";
import type { AgentRecord } from "./agent.ts";
import type { AgentTool } from "./agent-tools.ts";
import { tokensOfTools } from "./agent-tools.ts";
import type { AnswerWriter } from "./answer-writer.ts";
import { createAnswerWriter } from "./answer-writer.ts";
import { createArgumentCheck } from "./call-arguments.ts";
import type { Limits } from "./limits.ts";
import { createLimits } from "./limits.ts";
import type { LinkPolicy } from "./link-policy.ts";
import { addressesIn, createLinkPolicy } from "./link-policy.ts";
import type { ModelStepOutcome } from "./model-step.ts";
import { runModelStep } from "./model-step.ts";
import { createRepetitionGuard } from "./repetition.ts";
import { lastCallText, writeRules } from "./rules.ts";
import { createTurnSources } from "./sources.ts";
import { answerLabel, stopSequences } from "./step-text.ts";
import type { CallsOutcome } from "./tool-calls.ts";
import { runToolCalls } from "./tool-calls.ts";
import type { Transcript } from "./transcript.ts";
import { createTranscript } from "./transcript.ts";

/** What agents are run with. */
export interface AgentParts extends AgentConfig {
  readonly registry: ToolRegistry;
  readonly rank: RankSentences;
}

export interface AgentRunOptions {
  readonly agent: AgentRecord;
  readonly tools: readonly AgentTool[];
  readonly parts: AgentParts;
  readonly turn: Turn;
  readonly context: TurnContext;
  /** In place of the agent's preamble. */
  readonly prompt: ResolvedPrompt | undefined;
  readonly protocol: "native" | "text";
}

/** Why an agent had to end, for the model and for the person. */
const limitTexts: Readonly<Partial<Record<TurnEndReason, string>>> = {
  [TurnEndReason.STEP_LIMIT]: "The limit of steps is reached.",
  [TurnEndReason.TOKEN_LIMIT]: "The limit of tokens is reached.",
  [TurnEndReason.TIME_LIMIT]: "The limit of time is reached.",
  [TurnEndReason.COST_LIMIT]: "The limit of cost is reached.",
  [TurnEndReason.LOOP]: "The same calls were made over and over.",
};
const finishReasons: Readonly<Record<FinishReason, TurnEndReason>> = {
  complete: TurnEndReason.COMPLETE,
  length: TurnEndReason.LENGTH,
  "no-support": TurnEndReason.NO_SUPPORT,
  refused: TurnEndReason.REFUSED,
  "tool-calls": TurnEndReason.COMPLETE,
};
/** Steps in a row that may hold neither a call nor an answer. */
const mostEmptySteps = 2;
/** Tokens of one result; and of all results of a step, as a share of what the model can hold. */
const resultTokens = { least: 256, most: 8192, share: 0.25 };

/**
 * One turn of an agent: reason, act, observe (ReAct, Yao et al. 2022). The model is called until it answers, or a limit
 * is reached, or it goes in a circle; then one last call without tools asks for an answer from what is there.
 */
export class AgentRun {
  readonly #turn: Turn;
  readonly #context: TurnContext;
  readonly #parts: AgentParts;
  readonly #tools: readonly AgentTool[];
  readonly #protocol: "native" | "text";
  readonly #prompt: ResolvedPrompt | undefined;
  readonly #limits: Limits;
  /** Fires when the turn is cancelled, or its time is over. */
  readonly #signal: AbortSignal;
  readonly #transcript: Transcript;
  readonly #policy: LinkPolicy;
  readonly #sources = createTurnSources();
  readonly #check = createArgumentCheck();
  readonly #repetitions = createRepetitionGuard();
  readonly #callId = createCallIds();
  readonly #startedAt = performance.now();
  readonly #milliseconds: Record<string, number> = {};
  readonly #outputTokens: number;
  #answer: AnswerWriter | undefined;
  #writtenBy: string;
  #emptySteps = 0;
  #ended = false;

  constructor({ agent, tools, parts, turn, context, prompt, protocol }: AgentRunOptions) {
    const { contextTokens, name } = turn.model;
    const boundary = randomBytes(12).toString("hex");
    const asked = addressesIn(turn.message);
    this.#turn = turn;
    this.#context = context;
    this.#parts = parts;
    this.#tools = tools;
    this.#protocol = protocol;
    this.#prompt = prompt;
    this.#limits = createLimits(agent.limits);
    this.#signal = AbortSignal.any([context.signal, this.#limits.over]);
    this.#policy = createLinkPolicy(parts.linkHosts, () => [...asked, ...this.#sources.addresses]);
    this.#outputTokens = Math.min(
      turn.maxOutputTokens,
      Math.floor((contextTokens ?? Number.POSITIVE_INFINITY) / 2),
    );
    this.#writtenBy = name;
    const rules = writeRules({
      preamble: prompt?.render({}) ?? agent.preamble,
      tools: tools.map(({ tool }) => tool),
      memories: turn.memories,
      ...{ protocol, boundary },
    });
    const { history, message: question } = turn;
    this.#transcript = createTranscript({ rules, history, question, protocol, boundary, contextTokens });
  }

  /** To its end. */
  async *events(): AsyncGenerator<StepEvent> {
    for (let step = 1; !this.#ended; step += 1) {
      for await (const event of this.#step()) yield { step, event };
    }
  }

  close(): void {
    this.#limits.close();
  }

  /** From one model call to the results of its tools. */
  async *#step(): AsyncGenerator<TurnEvent> {
    const withTools = this.#tools.length > 0;
    const toolTokens = this.#protocol === "native" ? tokensOfTools(this.#tools) : 0;
    const outputTokens = this.#outputTokens;
    const messages = this.#transcript.messages(outputTokens + toolTokens);
    const reached = this.#limits.reached({ inputTokens: tokensOf(messages) + toolTokens, outputTokens });
    if (reached !== undefined && withTools) return yield* this.#conclude(reached);

    const outcome = yield* this.#reason(messages, outputTokens, withTools);
    const { answered, calls, reason, text } = outcome;
    if (answered || reason === undefined || reason === "refused") {
      yield* refuseLate(calls);
      if (reason === undefined && !answered) return yield* this.#conclude(TurnEndReason.TIME_LIMIT);
      yield this.#end(reason === undefined ? TurnEndReason.TIME_LIMIT : finishReasons[reason]);
    } else if (calls.length > 0) {
      this.#emptySteps = 0;
      const { results, loop } = yield* this.#act(calls);
      this.#transcript.addStep(text, results);
      if (loop) yield* this.#conclude(TurnEndReason.LOOP);
    } else {
      this.#emptySteps += 1;
      if (this.#emptySteps > mostEmptySteps || !withTools)
        return yield* this.#conclude(finishReasons[reason]);
      this.#transcript.addNotice(
        `You wrote neither a call of a tool nor an answer. Call a tool, or answer, beginning with "${answerLabel}".`,
      );
    }
  }

  /** One call without tools where the limits allow it; else the person is told why there is no answer. */
  async *#conclude(reason: TurnEndReason): AsyncGenerator<TurnEvent> {
    const why = limitTexts[reason] ?? "";
    this.#transcript.addNotice(lastCallText(why));
    const messages = this.#transcript.messages(this.#outputTokens);
    const tokens = this.#limits.lastCallTokens({
      inputTokens: tokensOf(messages),
      outputTokens: this.#outputTokens,
    });
    if (tokens > 0) yield* refuseLate((yield* this.#reason(messages, tokens, false)).calls);
    if (!this.#answer || this.#answer.text.trim() === "") {
      const answer = this.#startAnswer();
      yield* answer.write(`There is no answer. ${why}`.trim());
      yield* answer.end();
    }
    yield this.#end(reason);
  }

  async *#reason(
    messages: readonly ModelMessage[],
    maxOutputTokens: number,
    withTools: boolean,
  ): AsyncGenerator<TurnEvent, ModelStepOutcome> {
    const { model, standaloneQuestion: question, temperature } = this.#turn;
    const native = this.#protocol === "native";
    const request: ModelRequest = {
      question,
      sources: this.#sources.all.map(({ source }) => source),
      messages,
      maxOutputTokens,
      ...(native && withTools ? { tools: this.#tools.map(definitionOf) } : {}),
      ...(native || !withTools ? {} : { stopSequences }),
      ...(temperature === undefined ? {} : { temperature }),
    };
    this.#limits.step();
    const begun = performance.now();
    const outcome = yield* runModelStep({
      ...{ model, request, protocol: this.#protocol, policy: this.#policy, callId: this.#callId },
      ...{ last: !withTools, signal: this.#signal, wrapUp: this.#limits.wrapUp },
      startAnswer: () => this.#startAnswer(),
    });
    this.#spendTime("model", begun);
    this.#limits.spend(outcome.usage);
    this.#writtenBy = outcome.model;
    this.#context.signal.throwIfAborted();
    return outcome;
  }

  async *#act(calls: readonly ToolCall[]): AsyncGenerator<TurnEvent, CallsOutcome> {
    const { tenant, owner, filter, maxPassages, model } = this.#turn;
    const { toolTimeoutMs, approvalTimeoutMs } = this.#parts;
    const room = Math.floor((model.contextTokens ?? Number.POSITIVE_INFINITY) * resultTokens.share);
    const each = Math.max(resultTokens.least, Math.floor(room / calls.length));
    const begun = performance.now();
    const outcome = yield* runToolCalls(calls, {
      ...{ tools: this.#tools, check: this.#check, repetitions: this.#repetitions },
      ...{ toolTimeoutMs, approvalTimeoutMs, resultTokens: Math.min(resultTokens.most, each) },
      context: { tenant, owner, filter, maxPassages },
      cite: (hits, emit) =>
        this.#sources.number(hits, (fresh) => emit({ $case: "passages", value: { hits: [...fresh] } })),
      approve: (callId, deadline) => this.#limits.untimed(this.#context.waitForApproval(callId, deadline)),
      signal: AbortSignal.any([this.#signal, this.#limits.wrapUp]),
    });
    this.#spendTime("tools", begun);
    this.#context.signal.throwIfAborted();
    return outcome;
  }

  #startAnswer(): AnswerWriter {
    const { rank } = this.#parts;
    this.#milliseconds["first_token"] ??= performance.now() - this.#startedAt;
    // One that has said nothing knows nothing of sources that were found since.
    if (!this.#answer || this.#answer.text === "")
      this.#answer = createAnswerWriter(this.#sources.all, rank, this.#policy, this.#context.signal);
    return this.#answer;
  }

  #end(reason: TurnEndReason): TurnEvent {
    this.#ended = true;
    this.#spendTime("total", this.#startedAt);
    const silent = reason === TurnEndReason.COMPLETE && saysNothing(this.#answer?.text ?? "");
    const { usage, steps } = this.#limits;
    return {
      $case: "end",
      value: {
        ...{ usage, steps, model: this.#writtenBy, milliseconds: this.#milliseconds },
        ...(this.#prompt ? { prompt: { name: this.#prompt.name, version: this.#prompt.version } } : {}),
        reason: silent ? TurnEndReason.NO_SUPPORT : reason,
      },
    };
  }

  #spendTime(on: string, since: number): void {
    this.#milliseconds[on] = (this.#milliseconds[on] ?? 0) + performance.now() - since;
  }
}

function definitionOf({ tool: { name, description, parameters } }: AgentTool) {
  return { name, description, parameters };
}

/** Calls that came with the answer, or after the time: they are not run, and it is shown that they are not. */
function* refuseLate(calls: readonly ToolCall[]): Generator<TurnEvent> {
  for (const { id: callId } of calls) {
    const text = "Not run: it came with the answer, or after the time was over.";
    yield { $case: "toolResult", value: { callId, text, failed: true, truncated: false, elapsedMs: 0 } };
  }
}

/** Models number their calls anew in each answer, or not at all. */
function createCallIds(): (own: string) => string {
  const given = new Set<string>();
  return (own) => {
    let id = own;
    for (let number = given.size + 1; id === "" || given.has(id); number += 1) id = `call-${number}`;
    given.add(id);
    return id;
  };
}
