import { randomUUID } from "node:crypto";
import { HeadwaterError, status } from "@headwater/errors";
import type {
  CancelTurnRequest,
  ChatRequest,
  ConversationServiceImplementation,
  CreateConversationRequest,
  DecideToolCallRequest,
  DeleteConversationRequest,
  ExportConversationRequest,
  ForkConversationRequest,
  GetConversationRequest,
  ListConversationsRequest,
  ListMessagesRequest,
  RenameConversationRequest,
  ResumeTurnRequest,
} from "@headwater/proto/services/headwater/v1/conversation";
import { Message } from "@headwater/proto/services/headwater/v1/conversation";
import type { RpcContext } from "@headwater/rpc";
import {
  checkPageSize,
  checkText,
  checkUuid,
  checkWhose,
  decodePageToken,
  decodeTimePlace,
  encodePageToken,
  timePlaceOf,
  toPage,
} from "@headwater/rpc";
import { generateInRequestContext, requestContext } from "@headwater/telemetry";
import type { CallContext } from "nice-grpc";
import type { Turns } from "../turns/turns.ts";
import type { Chat } from "./chat.ts";
import { checkChatRequest } from "./chat-request.ts";
import type { ConversationStore } from "./conversation-store.ts";

export interface ConversationParts {
  readonly store: ConversationStore;
  readonly turns: Turns;
  readonly chat: Chat;
}

/** Code units. */
const maxTitleLength = 256;
const maxCallIdLength = 256;
/** Bytes of messages in one answer: well below what gRPC lets through. */
const maxAnswerBytes = 8 * 1024 * 1024;

/** The rpcs of ConversationService. */
export class ConversationHandlers implements ConversationServiceImplementation<RpcContext> {
  readonly #parts: ConversationParts;

  constructor(parts: ConversationParts) {
    this.#parts = parts;
  }

  async createConversation(request: CreateConversationRequest) {
    const title = checkText("The title", request.title, { min: 0, max: maxTitleLength });
    const agentId = request.agentId === "" ? "" : checkUuid(request.agentId);
    const created = { id: randomUUID(), title, agentId };
    return { conversation: await this.#parts.store.create(checkWhose(request), created) };
  }

  async listConversations(request: ListConversationsRequest) {
    const owner = checkWhose(request);
    const size = checkPageSize(request.pageSize);
    const question = `conversations ${owner.tenant} ${owner.owner}`;
    const after = decodeTimePlace(question, request.pageToken);
    const found = await this.#parts.store.list(owner, size + 1, after);
    const { page, nextPageToken } = toPage(found, size, question, ({ updatedTime: time, id }) =>
      timePlaceOf({ time, id }),
    );
    return { conversations: page, nextPageToken };
  }

  async getConversation(request: GetConversationRequest) {
    return { conversation: await this.#parts.store.get(checkWhose(request), checkUuid(request.id)) };
  }

  async listMessages(request: ListMessagesRequest) {
    const owner = checkWhose(request);
    const { store } = this.#parts;
    const { id } = await store.get(owner, checkUuid(request.conversationId));
    const size = checkPageSize(request.pageSize);
    const question = `messages ${id}`;
    const after = Number(decodePageToken(question, request.pageToken) ?? 0);
    const found = await store.messages(id, size + 1, after);
    const page = withinBytes(found.slice(0, size));
    const last = page.at(-1);
    const more = last !== undefined && page.length < found.length;
    return {
      messages: page.map(({ message }) => message),
      nextPageToken: more ? encodePageToken(question, String(last.place)) : "",
      activeTurnId: (await store.activeTurn(owner, id)) ?? "",
    };
  }

  async renameConversation(request: RenameConversationRequest) {
    const title = checkText("The title", request.title, { min: 1, max: maxTitleLength });
    return {
      conversation: await this.#parts.store.rename(checkWhose(request), checkUuid(request.id), title),
    };
  }

  async forkConversation(request: ForkConversationRequest) {
    const title = checkText("The title", request.title, { min: 0, max: maxTitleLength });
    const messageId = request.messageId === "" ? "" : checkUuid(request.messageId);
    return {
      conversation: await this.#parts.store.fork(
        checkWhose(request),
        checkUuid(request.id),
        messageId,
        title,
      ),
    };
  }

  async deleteConversation(request: DeleteConversationRequest) {
    const { store, turns } = this.#parts;
    const owner = checkWhose(request);
    const id = checkUuid(request.id);
    const active = await store.activeTurn(owner, id);
    await store.delete(owner, id);
    // Its model would write on for nobody, until it is found out that the turn is gone.
    if (active !== undefined) turns.abandon(owner, active);
    return {};
  }

  async exportConversation(request: ExportConversationRequest) {
    const { store } = this.#parts;
    const conversation = await store.get(checkWhose(request), checkUuid(request.id));
    const messages: Message[] = [];
    let bytes = 0;
    for await (const message of store.export(conversation.id)) {
      bytes += sizeOf(message);
      if (bytes > maxAnswerBytes) throw exportTooLarge();
      messages.push(message);
    }
    return { conversation, messages };
  }

  async *chat(request: ChatRequest, context: CallContext) {
    const checked = checkChatRequest(request);
    const requestId = requestContext()?.requestId ?? "";
    yield* generateInRequestContext(
      { requestId, tenant: checked.tenant },
      this.#parts.chat.stream(checked, context.signal),
    );
  }

  async *resumeTurn(request: ResumeTurnRequest, context: CallContext) {
    const { turns } = this.#parts;
    const turnId = checkUuid(request.turnId);
    const events = turns.read(checkWhose(request), turnId, request.afterSequence, context.signal);
    for await (const event of events) yield { event };
  }

  async cancelTurn(request: CancelTurnRequest) {
    await this.#parts.turns.cancel(checkWhose(request), checkUuid(request.turnId));
    return {};
  }

  async decideToolCall(request: DecideToolCallRequest) {
    const callId = checkText("The call's id", request.callId, { min: 1, max: maxCallIdLength });
    const turnId = checkUuid(request.turnId);
    await this.#parts.turns.decide(checkWhose(request), turnId, callId, request.approved);
    return {};
  }
}

/** At least one, and no more than one answer holds. */
function withinBytes<Found extends { message: Message }>(found: readonly Found[]): Found[] {
  let bytes = 0;
  const beyond = found.findIndex(({ message }, index) => {
    bytes += sizeOf(message);
    return bytes > maxAnswerBytes && index > 0;
  });
  return beyond === -1 ? [...found] : found.slice(0, beyond);
}

function sizeOf(message: Message): number {
  return Message.encode(message).finish().length;
}

function exportTooLarge(): HeadwaterError {
  return new HeadwaterError({
    code: status.RESOURCE_EXHAUSTED,
    reason: "HW_EXPORT_TOO_LARGE",
    message: "The conversation is too long for one answer.",
    action: "Read it with ListMessages, a page at a time.",
  });
}
