import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import type {
  ChatRequest,
  ChatResponse,
  Conversation,
  ConversationService,
  Message,
} from "@headwater/proto/connect/headwater/v1/conversation";
import {
  ChatResponseSchema,
  ConversationSchema,
  MessageRole,
  MessageSchema,
  TurnEndReason,
} from "@headwater/proto/connect/headwater/v1/conversation";

/** What happens in a turn between its start and its end, as a test scripts it; the double numbers the events. */
export type TurnMessage = MessageInitShape<typeof ChatResponseSchema>;

/** What a scripted turn can wait for. */
export interface TurnGiven {
  /** Fires when the turn is cancelled. */
  readonly signal: AbortSignal;
  /** Resolves with what was decided on a call. */
  decision(callId: string): Promise<boolean>;
}

interface StoredTurn {
  readonly id: string;
  readonly conversationId: string;
  readonly messageId: string;
  readonly events: ChatResponse[];
  readonly leaving: AbortController;
  readonly decisions: Map<string, PromiseWithResolvers<boolean>>;
  ended: boolean;
  wake: PromiseWithResolvers<void>;
}

type ChatScript = (request: ChatRequest, given: TurnGiven) => AsyncIterable<TurnMessage>;

/** Conversations in memory, whose turns go on without their caller as the real ones do. */
export class ConversationDouble {
  readonly conversations = new Map<string, Conversation>();
  readonly messages = new Map<string, Message[]>();
  readonly turns = new Map<string, StoredTurn>();
  readonly #script: ChatScript;
  #ids = 0;

  constructor(script: ChatScript) {
    this.#script = script;
  }

  service(): ServiceImpl<typeof ConversationService> {
    return {
      createConversation: () => ({}),
      listConversations: () => ({
        conversations: [...this.conversations.values()].sort((a, b) =>
          Number((b.updatedTime?.seconds ?? 0n) - (a.updatedTime?.seconds ?? 0n)),
        ),
      }),
      getConversation: ({ id }) => ({ conversation: this.#find(id) }),
      listMessages: ({ conversationId }) => {
        this.#find(conversationId);
        const active = [...this.turns.values()].find(
          (turn) => turn.conversationId === conversationId && !turn.ended,
        );
        return { messages: this.messages.get(conversationId) ?? [], activeTurnId: active?.id ?? "" };
      },
      renameConversation: ({ id, title }) => {
        const conversation = this.#find(id);
        conversation.title = title;
        return { conversation };
      },
      forkConversation: ({ id, messageId }) => {
        const origin = this.#find(id);
        const messages = this.messages.get(id) ?? [];
        const last = messageId === "" ? messages.length : messages.findIndex((it) => it.id === messageId) + 1;
        const copy = this.#add(origin.title, origin.agentId, id);
        this.messages.set(copy.id, messages.slice(0, last));
        return { conversation: copy };
      },
      deleteConversation: ({ id }) => {
        this.conversations.delete(id);
        return {};
      },
      exportConversation: ({ id }) => ({
        conversation: this.#find(id),
        messages: this.messages.get(id) ?? [],
      }),
      chat: (request, { signal }) => this.#follow(this.#begin(request), 0, signal),
      resumeTurn: ({ turnId, afterSequence }, { signal }) => this.#resume(turnId, afterSequence, signal),
      cancelTurn: ({ turnId }) => {
        this.turns.get(turnId)?.leaving.abort();
        return {};
      },
      decideToolCall: ({ turnId, callId, approved }) => {
        const waiting = this.turns.get(turnId)?.decisions.get(callId);
        if (!waiting) throw new ConnectError("The call does not wait.", Code.FailedPrecondition);
        waiting.resolve(approved);
        return {};
      },
    };
  }

  #find(id: string): Conversation {
    const conversation = this.conversations.get(id);
    if (!conversation) throw new ConnectError("There is no such conversation.", Code.NotFound);
    return conversation;
  }

  #add(title: string, agentId: string, forkedFrom = ""): Conversation {
    const updatedTime = timestampFromDate(new Date());
    const conversation = create(ConversationSchema, {
      ...{ id: this.#id(), title, agentId, forkedFrom, updatedTime },
    });
    this.conversations.set(conversation.id, conversation);
    this.messages.set(conversation.id, []);
    return conversation;
  }

  #id(): string {
    this.#ids += 1;
    return `00000000-0000-4000-8000-${String(this.#ids).padStart(12, "0")}`;
  }

  #begin(request: ChatRequest): StoredTurn {
    const conversation =
      request.conversationId === ""
        ? this.#add(request.message.slice(0, 60), request.agentId)
        : this.#find(request.conversationId);
    const turn: StoredTurn = {
      id: this.#id(),
      conversationId: conversation.id,
      messageId: this.#id(),
      events: [],
      leaving: new AbortController(),
      decisions: new Map(),
      ended: false,
      wake: Promise.withResolvers(),
    };
    this.turns.set(turn.id, turn);
    this.messages.get(conversation.id)?.push(
      create(MessageSchema, {
        ...{ id: this.#id(), role: MessageRole.USER, text: request.message, turnId: turn.id },
      }),
    );
    void this.#run(turn, request);
    return turn;
  }

  async #run(turn: StoredTurn, request: ChatRequest): Promise<void> {
    const { id: turnId, conversationId, messageId } = turn;
    const answer = create(MessageSchema, { id: messageId, role: MessageRole.ASSISTANT, turnId });
    const put = (message: TurnMessage) => {
      const event = create(ChatResponseSchema, message);
      event.sequence = BigInt(turn.events.length + 1);
      turn.events.push(event);
      if (event.event.case === "text") answer.text += event.event.value.text;
      if (event.event.case === "citation") answer.citations.push(event.event.value);
      if (event.event.case === "end") answer.end = event.event.value;
      turn.wake.resolve();
      turn.wake = Promise.withResolvers();
    };
    put({
      event: { case: "started", value: { turnId, conversationId, messageId, agentId: request.agentId } },
    });
    const given: TurnGiven = {
      signal: turn.leaving.signal,
      decision(callId) {
        const waiting = turn.decisions.get(callId) ?? Promise.withResolvers<boolean>();
        turn.decisions.set(callId, waiting);
        return waiting.promise;
      },
    };
    const cancelled: TurnMessage = { event: { case: "end", value: { reason: TurnEndReason.CANCELLED } } };
    let last: TurnMessage | undefined;
    for await (const message of this.#script(request, given)) {
      if (given.signal.aborted) break;
      if (message.event?.case === "end") last = message;
      else put(message);
    }
    turn.ended = true;
    put(given.signal.aborted ? cancelled : (last ?? cancelled));
    this.messages.get(conversationId)?.push(answer);
  }

  async *#resume(turnId: string, after: bigint, signal: AbortSignal) {
    const turn = this.turns.get(turnId);
    if (!turn) throw new ConnectError("There is no such turn.", Code.NotFound);
    for await (const event of this.#follow(turn, Number(after), signal)) yield { event };
  }

  async *#follow(turn: StoredTurn, after: number, signal: AbortSignal) {
    const left = new Promise<void>((done) => signal.addEventListener("abort", () => done(), { once: true }));
    let next = after;
    while (!signal.aborted) {
      const { promise } = turn.wake;
      const event = turn.events[next];
      if (event) {
        next += 1;
        yield event;
        if (event.event.case === "end") return;
      } else await Promise.race([promise, left]);
    }
  }
}
