import { invalidArgument } from "@headwater/errors";
import type { ChatRequest } from "@headwater/proto/services/headwater/v1/conversation";
import { MessageRole } from "@headwater/proto/services/headwater/v1/conversation";
import { checkOwner, checkTenant, checkText, checkUuid } from "@headwater/rpc";
import { checkMaxOutputTokens, checkMaxPassages } from "../answer/request.ts";
import { checkTemperature } from "../request-checks.ts";

/** Code units. */
const maxMessageLength = 32_768;
const maxHistory = 256;
/** Bytes. */
const maxKeyLength = 128;

/**
 * A request as proto/headwater/v1/conversation.proto allows it. Ids are in lower case, or empty; what the agent or the
 * model may decide on is as it was sent.
 *
 * @throws HeadwaterError INVALID_ARGUMENT
 */
export function checkChatRequest(request: ChatRequest): ChatRequest {
  const { conversationId, agentId, stateless, history, idempotencyKey } = request;
  if (stateless && conversationId !== "") throw refused("conversation_id", "without `stateless`");
  if (stateless && idempotencyKey !== "") throw refused("idempotency_key", "without `stateless`");
  if (!stateless && history.length > 0) throw refused("history", "with `stateless`");
  if (history.length > maxHistory) {
    throw invalidArgument(
      "HW_HISTORY_TOO_LONG",
      `The history has ${history.length} messages, more than ${maxHistory}.`,
      "Send the newest ones.",
    );
  }
  for (const { role, text } of history) {
    if (role !== MessageRole.USER && role !== MessageRole.ASSISTANT) {
      throw invalidArgument(
        "HW_ROLE_INVALID",
        "A message of the history is of nobody.",
        "Send USER or ASSISTANT.",
      );
    }
    checkText("A message of the history", text, { min: 0, max: maxMessageLength });
  }
  if (Buffer.byteLength(idempotencyKey) > maxKeyLength) {
    throw invalidArgument(
      "HW_KEY_TOO_LONG",
      `The idempotency key is longer than ${maxKeyLength} bytes.`,
      "Send a shorter one, such as a UUID.",
    );
  }
  checkText("The idempotency key", idempotencyKey, { min: 0, max: maxKeyLength });
  checkTemperature(request.temperature);
  checkMaxPassages(request.maxPassages);
  checkMaxOutputTokens(request.maxOutputTokens);
  return {
    ...request,
    tenant: checkTenant(request.tenant),
    owner: checkOwner(request.owner),
    conversationId: conversationId === "" ? "" : checkUuid(conversationId),
    agentId: agentId === "" ? "" : checkUuid(agentId),
    message: checkText("The message", request.message, { min: 1, max: maxMessageLength }),
  };
}

function refused(field: string, when: string) {
  return invalidArgument("HW_FIELD_INVALID", `${field} can be sent only ${when}.`, "Leave one of them out.");
}
