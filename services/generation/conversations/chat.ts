import { randomUUID } from "node:crypto";
import { codeOf, HeadwaterError, status, statusName } from "@headwater/errors";
import type { LanguageModel } from "@headwater/language-model";
import type { ChatRequest, ChatResponse, TurnEnd } from "@headwater/proto/services/headwater/v1/conversation";
import { Message, MessageRole } from "@headwater/proto/services/headwater/v1/conversation";
import type { Telemetry } from "@headwater/telemetry";
import { Counter } from "@headwater/telemetry";
import type { Admission } from "../admission.ts";
import { checkMaxOutputTokens, checkMaxPassages } from "../answer/request.ts";
import type { TurnMemory } from "../memory/memory.ts";
import type { GenerationMetrics } from "../metrics.ts";
import type { Models } from "../models/models.ts";
import type { History, KeptHistory } from "../turns/history.ts";
import { fitHistory } from "../turns/history.ts";
import type { TurnTask } from "../turns/play-turn.ts";
import { turnActive } from "../turns/turn-errors.ts";
import type { TurnAgent, TurnRunners } from "../turns/turn-runner.ts";
import type { Turns } from "../turns/turns.ts";
import type { ConversationStore } from "./conversation-store.ts";

/** What turns are made with. */
export interface ChatParts {
  readonly turns: Turns;
  readonly store: ConversationStore;
  readonly models: Models;
  readonly runners: TurnRunners;
  readonly memory: TurnMemory | undefined;
  readonly admission: Admission;
  readonly metrics: GenerationMetrics;
  readonly telemetry: Telemetry;
  /** Tokens of what came before that a turn reads. */
  readonly historyTokens: number;
}

/** Attempts to begin a turn while the one before is just ending. */
const attempts = 3;
const kind = "chat";

/** Begins turns: in a conversation, where they go on without their caller, or stateless. */
export class Chat {
  readonly #parts: ChatParts;
  readonly #degraded: Counter<"what">;

  constructor(parts: ChatParts) {
    this.#parts = parts;
    this.#degraded = new Counter({
      name: "headwater_generation_turns_degraded_total",
      help: "Turns that went on without something that failed",
      labelNames: ["what"],
      registers: [parts.telemetry.metrics],
    });
    for (const what of ["memory", "rewriting", "summary"]) this.#degraded.inc({ what }, 0);
  }

  /** @param request as `checkChatRequest` gave it */
  async *stream(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatResponse> {
    const { turns } = this.#parts;
    if (request.idempotencyKey !== "") {
      const known = await turns.store.findByKey(request, request.idempotencyKey);
      if (known !== undefined) {
        yield* turns.read(request, known, 0, signal);
        return;
      }
    }
    const conversation =
      request.conversationId === ""
        ? undefined
        : await this.#parts.store.get(request, request.conversationId);
    const agent = await this.#findAgent(request, conversation?.agentId ?? "");
    const name = request.model || agent?.model || "";
    const model = name === "" ? this.#parts.models.default : this.#parts.models.find(name);
    const leave = this.#enter();
    const base = this.#taskOf(request, model, agent);
    if (request.stateless) yield* this.#streamStateless(base, request, leave, signal);
    else yield* turns.read(request, await this.#begin(base, request, leave), 0, signal);
  }

  async *#streamStateless(
    base: Omit<TurnTask, "history">,
    request: ChatRequest,
    leave: (end: TurnEnd | undefined) => void,
    signal: AbortSignal,
  ): AsyncGenerator<ChatResponse> {
    let end: TurnEnd | undefined;
    const messages = request.history.map((said, index) => ({ ...said, turnId: "", place: index + 1 }));
    const kept = { summary: { text: "", through: 0 }, messages };
    // No model is asked to sum up: what it wrote could not be kept, and would be asked for with each turn.
    const task = { ...base, history: (turnSignal: AbortSignal) => this.#fit(kept, undefined, turnSignal) };
    try {
      for await (const event of this.#parts.turns.playStateless(task, signal)) {
        if (event.event?.$case === "end") end = event.event.value;
        yield event;
      }
    } finally {
      leave(end);
    }
  }

  /** @returns the turn's id; a repeated request is the turn that it was before */
  async #begin(
    base: Omit<TurnTask, "history">,
    request: ChatRequest,
    leave: (end: TurnEnd | undefined) => void,
  ): Promise<string> {
    const { turns, store } = this.#parts;
    const { id, messageId, tenant, owner, agentId } = base;
    const isNew = request.conversationId === "";
    const conversationId = isNew ? randomUUID() : request.conversationId;
    const message = Message.fromPartial({
      ...{ id: randomUUID(), turnId: id, role: MessageRole.USER, text: request.message },
      createdTime: new Date(),
    });
    let running = false;
    try {
      for (let attempt = 1; ; attempt += 1) {
        const begun = await turns.store.begin({
          ...{ id, messageId, tenant, owner, conversationId, message },
          conversation: isNew ? { id: conversationId, title: "", agentId } : undefined,
          idempotencyKey: request.idempotencyKey,
        });
        if (begun.kind === "repeated") return begun.turnId;
        if (begun.kind === "begun") {
          const history = async (signal: AbortSignal) => {
            const fitted = await this.#fit(
              await store.history(conversationId, begun.place),
              base.model,
              signal,
            );
            if (fitted.summary) await store.keepSummary(conversationId, fitted.summary);
            return fitted;
          };
          turns.run({ ...base, conversationId, history }, leave);
          running = true;
          return id;
        }
        const free = begun.turnId === "" || (await turns.endIfLost(begun.turnId));
        if (!free || attempt >= attempts) throw turnActive(begun.turnId);
      }
    } finally {
      if (!running) leave(undefined);
    }
  }

  #taskOf(
    request: ChatRequest,
    model: LanguageModel,
    agent: TurnAgent | undefined,
  ): Omit<TurnTask, "history"> {
    const { tenant, owner, message, filter, prompt } = request;
    return {
      ...{ id: randomUUID(), messageId: randomUUID(), tenant, owner, conversationId: "" },
      ...{ message, model, filter, prompt, agentId: agent?.id ?? "" },
      maxPassages: checkMaxPassages(request.maxPassages || (agent?.maxPassages ?? 0)),
      maxOutputTokens: checkMaxOutputTokens(request.maxOutputTokens),
      temperature: request.temperature ?? agent?.temperature,
      run: agent?.run ?? this.#parts.runners.answer,
      memory: request.skipMemory ? undefined : this.#parts.memory,
      onDegraded: (what, thrown) => this.#degrade(what, thrown),
    };
  }

  async #fit(kept: KeptHistory, model: LanguageModel | undefined, signal: AbortSignal): Promise<History> {
    const { historyTokens } = this.#parts;
    return await fitHistory(kept, historyTokens, model, (thrown) => this.#degrade("summary", thrown), signal);
  }

  /** The conversation's own agent may be gone: it is then answered without. One that is asked for has to be there. */
  async #findAgent(
    { tenant, agentId }: ChatRequest,
    conversationAgentId: string,
  ): Promise<TurnAgent | undefined> {
    const id = agentId || conversationAgentId;
    const agent = id === "" ? undefined : await this.#parts.runners.findAgent(tenant, id);
    if (!agent && agentId !== "") throw unknownAgent();
    return agent;
  }

  /** Takes a place for a turn, until its end. */
  #enter(): (end: TurnEnd | undefined) => void {
    const { admission, metrics } = this.#parts;
    const leave = admission.enter();
    metrics.queries.inc({ kind });
    metrics.active.inc({ kind });
    const stopTimer = metrics.duration.startTimer({ kind });
    return (end) => {
      leave();
      metrics.active.dec({ kind });
      stopTimer();
      if (end?.error) metrics.errors.inc({ kind, code: statusName(codeOf(end.error.code)) });
    };
  }

  #degrade(what: string, thrown: unknown): void {
    this.#degraded.inc({ what });
    this.#parts.telemetry.log.warn({ err: thrown, what }, "a turn goes on without something that failed");
  }
}

function unknownAgent(): HeadwaterError {
  return new HeadwaterError({
    code: status.NOT_FOUND,
    reason: "HW_AGENT_UNKNOWN",
    message: "There is no agent of that id.",
    action: "List the agents, or leave it out for plain answers.",
  });
}
