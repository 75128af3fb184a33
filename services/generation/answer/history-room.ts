import type { ModelMessage } from "@headwater/language-model";
import { estimateTokens } from "@headwater/text";

/** What a model server writes around each message. */
const tokensAround = 4;

/** An estimate, as `estimateTokens` gives it. */
export function tokensOf(messages: readonly ModelMessage[]): number {
  return messages.reduce((sum, message) => {
    const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
    const called = calls.map((call) => call.name + call.arguments).join("");
    return sum + estimateTokens(message.text + called) + tokensAround;
  }, 0);
}

/** Leaves the oldest messages out where a model has no room for all; none is cut. */
export function newestWithin(messages: readonly ModelMessage[], room: number): readonly ModelMessage[] {
  let first = messages.length;
  let used = 0;
  for (let at = messages.length - 1; at >= 0; at -= 1) {
    used += tokensOf(messages.slice(at, at + 1));
    if (used > room) break;
    first = at;
  }
  return messages.slice(first);
}
