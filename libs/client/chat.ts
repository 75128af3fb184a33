import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Client, CallOptions as ConnectCallOptions } from "@connectrpc/connect";
import { Code } from "@connectrpc/connect";
import type {
  ChatRequestSchema,
  ConversationService,
} from "@headwater/proto/connect/headwater/v1/conversation";
import type { CallOptions, Identity } from "./call.ts";
import { connectOptions, stream, unary } from "./call.ts";
import type { ChatEvent } from "./chat-event.ts";
import { toChatEvent } from "./chat-event.ts";
import type { MessageRole } from "./conversations.ts";
import { fromRole } from "./conversations.ts";
import { HeadwaterClientError } from "./error.ts";
import type { ReconnectOptions } from "./reconnect.ts";
import { Reconnects } from "./reconnect.ts";
import type { Filter } from "./search.ts";
import { filterMessage } from "./search.ts";

/** A message that the caller keeps, for turns outside of any conversation. */
export interface HistoryMessage {
  readonly role: MessageRole;
  readonly text: string;
}

export interface ChatOptions extends ReconnectOptions {
  /** Default: a new conversation, whose id the event "started" tells. */
  conversationId?: string;
  /** Agent that answers. Default: the conversation's, or plain answers from the documents. */
  agentId?: string;
  /** Name of a language model, see `models()`. Default: the agent's, or the server's. */
  model?: string;
  filter?: Filter;
  /** Passages given to the model, 1 to 50. Default 8. */
  maxPassages?: number;
  /** Longest answer in tokens, 1 to 8,192. Default: the agent's, or 512. */
  maxOutputTokens?: number;
  /** 0 to 2. Default: the agent's, or the model's. */
  temperature?: number;
  /** "name", "name@label" or "name@version" of a prompt. Default: the agent's preamble, or "chat@production". */
  prompt?: string;
  /** Keeps nothing: `history` is all that came before, and the turn ends when its caller leaves. */
  stateless?: boolean;
  /** Only with `stateless`, oldest first, at most 256. */
  history?: readonly HistoryMessage[];
  /** Neither reads nor writes memory. */
  skipMemory?: boolean;
  /** A repeated request with the same key, 1 to 128 bytes, is the same turn. */
  idempotencyKey?: string;
}

export interface ResumeOptions extends ReconnectOptions {
  /** Sequence of the last event that was read. Default 0: from the start. */
  after?: number;
}

/** Turns of conversations that are under way or over. */
export interface Turns {
  /** What was streamed after an event, then what is still to come; never asks a model again. */
  resume(turnId: string, options?: ResumeOptions): AsyncGenerator<ChatEvent, void, undefined>;
  /** Ends a turn; it streams its end with the reason "cancelled". */
  cancel(turnId: string, options?: CallOptions): Promise<void>;
  /** Approves or refuses a tool call that waits for it. */
  decide(turnId: string, callId: string, approved: boolean, options?: CallOptions): Promise<void>;
}

type Conversations = Client<typeof ConversationService>;
type ChatRequest = MessageInitShape<typeof ChatRequestSchema>;

export function createTurns(
  service: Conversations,
  identity: Identity,
  lasting: Pick<ReconnectOptions, "reconnects">,
): Turns {
  return {
    resume: (turnId, options = {}) =>
      follow(service, identity, { ...lasting, ...options }, { turnId, after: options.after ?? 0 }),
    async cancel(turnId, options = {}) {
      await unary(service.cancelTurn({ ...identity.of(options), turnId }, connectOptions(options)));
    },
    async decide(turnId, callId, approved, options = {}) {
      const request = { ...identity.of(options), turnId, callId, approved };
      await unary(service.decideToolCall(request, connectOptions(options)));
    },
  };
}

/** One turn. A lost connection is made again and goes on with the next event, none lost and none doubled. */
export function chat(
  service: Conversations,
  identity: Identity,
  message: string,
  options: ChatOptions,
): AsyncGenerator<ChatEvent, void, undefined> {
  const request = chatRequest(message, identity.of(options), options);
  // The turn of a stateless caller ends with the connection.
  const lasting = options.stateless ? { ...options, reconnects: 0 } : options;
  return follow(service, identity, lasting, { request, after: 0 });
}

function chatRequest(
  message: string,
  who: { tenant: string; owner: string },
  options: ChatOptions,
): ChatRequest {
  return {
    ...who,
    message,
    conversationId: options.conversationId ?? "",
    agentId: options.agentId ?? "",
    model: options.model ?? "",
    ...(options.filter ? { filter: filterMessage(options.filter) } : {}),
    maxPassages: options.maxPassages ?? 0,
    maxOutputTokens: options.maxOutputTokens ?? 0,
    ...(options.temperature === undefined ? {} : { temperature: options.temperature }),
    prompt: options.prompt ?? "",
    stateless: options.stateless ?? false,
    history: (options.history ?? []).map(({ role, text }) => ({ role: fromRole(role), text })),
    skipMemory: options.skipMemory ?? false,
    idempotencyKey: options.idempotencyKey ?? "",
  };
}

/** Where a turn is read on: after an event of a turn that is known, or by the request that begins it. */
interface Place {
  turnId?: string;
  request?: ChatRequest;
  after: number;
}

async function* follow(
  service: Conversations,
  identity: Identity,
  options: ReconnectOptions,
  place: Place,
): AsyncGenerator<ChatEvent, void, undefined> {
  const reconnects = new Reconnects(options);
  while (true) {
    const call = reconnects.options();
    const resumed = place.turnId !== undefined;
    let received = 0;
    try {
      for await (const event of stream(call, (c) => open(service, identity, call, place, c), toChatEvent)) {
        if (event.sequence <= place.after) continue;
        received += 1;
        reconnects.received();
        place.after = event.sequence;
        if (event.type === "started") place.turnId = event.turnId;
        yield event;
        if (event.type === "end") return;
      }
      // What was read before went up to the end.
      if (resumed && received === 0) return;
      throw cutOff();
    } catch (thrown) {
      const error = HeadwaterClientError.from(thrown);
      if (!canFollow(place) || !isUnanswered(error)) throw error;
      await reconnects.wait(error);
    }
  }
}

function open(
  service: Conversations,
  identity: Identity,
  options: CallOptions,
  { turnId, request, after }: Place,
  call: ConnectCallOptions,
) {
  if (turnId === undefined) return service.chat(request ?? {}, call);
  const from = { ...identity.of(options), turnId, afterSequence: BigInt(after) };
  return eventsOf(service.resumeTurn(from, call));
}

async function* eventsOf(responses: AsyncIterable<{ event?: Parameters<typeof toChatEvent>[0] }>) {
  for await (const { event } of responses) yield event;
}

/** Where the turn is not known yet, only a key makes sure that asking again begins no second one. */
function canFollow({ turnId, request }: Place): boolean {
  return turnId !== undefined || Boolean(request?.idempotencyKey);
}

/** True where nobody has said that the call failed, or only that somebody else will take it. */
function isUnanswered(error: HeadwaterClientError): boolean {
  return error.code === Code.Unavailable || error.reason === "HW_CALL_FAILED";
}

function cutOff(): HeadwaterClientError {
  return new HeadwaterClientError({
    code: Code.Unavailable,
    reason: "HW_TURN_CUT_OFF",
    message: "The turn's events stopped before its end.",
    action: "Resume the turn after the last event that was read.",
  });
}
