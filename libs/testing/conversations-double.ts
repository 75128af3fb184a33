import { setTimeout as delay } from "node:timers/promises";
import { HeadwaterError, status } from "@headwater/errors";
import type {
  ChatRequest,
  ChatResponse,
  Conversation,
  ConversationServiceDefinition,
  DeepPartial,
  Message,
} from "@headwater/proto/services/headwater/v1/conversation";
import { MessageRole, TurnEndReason } from "@headwater/proto/services/headwater/v1/conversation";
import type { Citation } from "@headwater/proto/services/headwater/v1/generation";
import type { Hit, SearchSummary } from "@headwater/proto/services/headwater/v1/search";
import type { RpcContext } from "@headwater/rpc";
import type { ServiceImplementation } from "nice-grpc";
import type { DoubleContext, EnterDouble } from "./double-call.ts";
import { doubleTime, notFound } from "./double-call.ts";
import { TurnDouble } from "./turn-double.ts";

type Who = { readonly tenant: string; readonly owner: string };

/** What the double of conversations is made with. */
export interface ConversationsDoubleOptions {
  readonly enter: EnterDouble;
  hit(): DeepPartial<Hit>;
  readonly summary: DeepPartial<SearchSummary>;
  readonly citation: DeepPartial<Citation>;
}

/**
 * Conversations in memory, whose turns go on when their caller is cut off. The message chooses what happens, beside the
 * words of `startServiceDoubles`: "long" writes 40 pieces, one each 20 ms; "drop" is cut off after its second event;
 * "approve" calls a tool that waits for approval; "fail" ends with the reason FAILED.
 */
export class ConversationsDouble {
  /** Turns that were begun: what a model would have been asked for. */
  modelCalls = 0;
  /** The newest turn's request. */
  chatRequest: ChatRequest | undefined;
  readonly turns = new Map<string, TurnDouble>();
  readonly #conversations = new Map<
    string,
    { who: string; conversation: Conversation; messages: Message[] }
  >();
  readonly #keys = new Map<string, TurnDouble>();
  readonly #options: ConversationsDoubleOptions;

  constructor(options: ConversationsDoubleOptions) {
    this.#options = options;
  }

  /** Ends all turns. */
  close(): void {
    for (const turn of this.turns.values()) turn.cancel();
  }

  implementation(): ServiceImplementation<ConversationServiceDefinition, RpcContext> {
    const { enter } = this.#options;
    return {
      createConversation: async (request, context) => {
        await enter("", request, context);
        return { conversation: this.#create(request, request.title, request.agentId).conversation };
      },
      listConversations: async (request, context) => {
        await enter("", request, context);
        const own = [...this.#conversations.values()].filter(({ who }) => who === whoOf(request));
        return { conversations: own.map(({ conversation }) => conversation), nextPageToken: "" };
      },
      getConversation: async (request, context) => {
        await enter("", request, context);
        return { conversation: this.#find(request, request.id).conversation };
      },
      listMessages: async (request, context) => {
        await enter("", request, context);
        const { messages } = this.#find(request, request.conversationId);
        const active = messages.find(({ turnId }) => this.turns.get(turnId)?.ended === false);
        return { messages, nextPageToken: "", activeTurnId: active?.turnId ?? "" };
      },
      renameConversation: async (request, context) => {
        await enter("", request, context);
        const { conversation } = this.#find(request, request.id);
        conversation.title = request.title;
        return { conversation };
      },
      forkConversation: async (request, context) => {
        await enter("", request, context);
        const { conversation, messages } = this.#find(request, request.id);
        const last = messages.findIndex(({ id }) => id === request.messageId);
        const copy = this.#create(request, request.title || conversation.title, conversation.agentId);
        copy.messages.push(...(last === -1 ? messages : messages.slice(0, last + 1)));
        copy.conversation.messageCount = copy.messages.length;
        copy.conversation.forkedFrom = conversation.id;
        return { conversation: copy.conversation };
      },
      deleteConversation: async (request, context) => {
        await enter("", request, context);
        if (this.#conversations.get(request.id)?.who === whoOf(request))
          this.#conversations.delete(request.id);
        return {};
      },
      exportConversation: async (request, context) => {
        await enter("", request, context);
        return this.#find(request, request.id);
      },
      chat: (request, context) => this.#chat(request, context),
      resumeTurn: (request, context) => this.#resume(request, request, context),
      cancelTurn: async (request, context) => {
        await enter("", request, context);
        this.#turn(request, request.turnId).cancel();
        return {};
      },
      decideToolCall: async (request, context) => {
        await enter("", request, context);
        if (this.#turn(request, request.turnId).decide(request.callId, request.approved)) return {};
        throw new HeadwaterError({
          code: status.FAILED_PRECONDITION,
          reason: "HW_TOOL_CALL_NOT_WAITING",
          message: "The call does not wait.",
          action: "Read the turn's events.",
        });
      },
    };
  }

  async *#chat(request: ChatRequest, context: DoubleContext): AsyncGenerator<DeepPartial<ChatResponse>> {
    await this.#options.enter(request.message, request, context);
    context.abortOnTerminate();
    const key = request.idempotencyKey && `${whoOf(request)}/${request.idempotencyKey}`;
    const turn = this.#keys.get(key) ?? this.#begin(request);
    if (key) this.#keys.set(key, turn);
    if (request.stateless) context.signal.addEventListener("abort", () => turn.cancel(), { once: true });
    let events = 0;
    for await (const event of turn.follow(0, context.signal)) {
      yield event;
      events += 1;
      if (request.message === "drop" && events === 2) return;
    }
  }

  async *#resume(who: Who, from: { turnId: string; afterSequence: number }, context: DoubleContext) {
    await this.#options.enter("", who, context);
    context.abortOnTerminate();
    for await (const event of this.#turn(who, from.turnId).follow(from.afterSequence, context.signal))
      yield { event };
  }

  #begin(request: ChatRequest): TurnDouble {
    this.modelCalls += 1;
    this.chatRequest = request;
    const turn = new TurnDouble(`turn-${this.modelCalls}`, whoOf(request));
    this.turns.set(turn.id, turn);
    const conversation = request.stateless ? undefined : this.#conversationOf(request);
    const conversationId = conversation?.conversation.id ?? "";
    const messageId = `message-of-${turn.id}`;
    turn.add({
      $case: "started",
      value: { turnId: turn.id, conversationId, messageId, agentId: request.agentId },
    });
    const say = (id: string, role: MessageRole, text: string) => {
      if (!conversation) return;
      const told = { id, role, text, createdTime: doubleTime, turnId: turn.id };
      conversation.messages.push({ ...told, citations: [], steps: [], end: undefined });
      conversation.conversation.messageCount += 1;
    };
    say(`question-of-${turn.id}`, MessageRole.USER, request.message);
    void this.#run(turn, request.message).then((text) => say(messageId, MessageRole.ASSISTANT, text));
    return turn;
  }

  /** Resolves with the answer's text. */
  async #run(turn: TurnDouble, word: string): Promise<string> {
    const { hit, summary, citation } = this.#options;
    let text = "";
    const write = (piece: string, step = 0) => {
      text += piece;
      turn.add({ $case: "text", value: { text: piece } }, step);
    };
    const end = (reason: TurnEndReason, error?: { reason: string; message: string; code: number }) =>
      turn.add({
        $case: "end",
        value: {
          reason,
          usage: { inputTokens: 120, outputTokens: 8, cost: 0.5 },
          model: "extractive",
          milliseconds: { search: 10, first_token: 15, total: 20 },
          prompt: { name: "chat", version: 2 },
          steps: word === "approve" ? 1 : 0,
          error,
        },
      });
    if (word === "approve") await callTool(turn);
    turn.add({ $case: "passages", value: { hits: [hit()], summary } });
    for (let piece = 0; word === "endless" || (word === "long" && piece < 40); piece += 1) {
      await delay(20);
      if (turn.cancelled.aborted) break;
      write(`${piece} `);
    }
    if (turn.cancelled.aborted) {
      end(TurnEndReason.CANCELLED);
    } else if (word === "fail") {
      end(TurnEndReason.FAILED, {
        ...{ reason: "HW_MODEL_DOWN", message: "The model is down." },
        code: status.UNAVAILABLE,
      });
    } else {
      write("At new moon ");
      write("and full moon.");
      turn.add({ $case: "citation", value: citation });
      end(TurnEndReason.COMPLETE);
    }
    return text;
  }

  #conversationOf(request: ChatRequest) {
    return request.conversationId === ""
      ? this.#create(request, request.message, request.agentId)
      : this.#find(request, request.conversationId);
  }

  #create(who: Who, title: string, agentId: string) {
    const id = `conversation-${this.#conversations.size + 1}`;
    const times = { createdTime: doubleTime, updatedTime: doubleTime };
    const conversation = { id, title, agentId, ...times, messageCount: 0, forkedFrom: "" };
    const created = { who: whoOf(who), conversation, messages: [] as Message[] };
    this.#conversations.set(id, created);
    return created;
  }

  #find(who: Who, id: string) {
    const found = this.#conversations.get(id);
    if (found?.who === whoOf(who)) return found;
    throw notFound("HW_CONVERSATION_NOT_FOUND", "conversation");
  }

  #turn(who: Who, id: string): TurnDouble {
    const found = this.turns.get(id);
    if (found?.who === whoOf(who)) return found;
    throw notFound("HW_TURN_NOT_FOUND", "turn");
  }
}

async function callTool(turn: TurnDouble): Promise<void> {
  const callId = "call-1";
  turn.add({ $case: "thought", value: { text: "I should count." } }, 1);
  turn.add(
    { $case: "toolCall", value: { callId, tool: "calculator", arguments: '{"expression":"1+1"}' } },
    1,
  );
  turn.add({ $case: "approval", value: { callId, deadline: new Date(doubleTime.getTime() + 60_000) } }, 1);
  const approved = await turn.waitForApproval(callId);
  const text = approved ? "2" : "The call was refused.";
  turn.add({ $case: "toolResult", value: { callId, text, failed: !approved, elapsedMs: 3 } }, 1);
}

function whoOf({ tenant, owner }: Who): string {
  return `${tenant || "default"}/${owner || "default"}`;
}
