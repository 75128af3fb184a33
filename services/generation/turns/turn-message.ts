import type {
  ChatResponse,
  ToolResult,
  ToolStep,
  TurnEnd,
} from "@headwater/proto/services/headwater/v1/conversation";
import { Message, MessageRole } from "@headwater/proto/services/headwater/v1/conversation";
import type { Citation } from "@headwater/proto/services/headwater/v1/generation";

/** The answer's message as it grows out of a turn's events. */
export class TurnMessage {
  readonly #pieces: string[] = [];
  readonly #citations: Citation[] = [];
  readonly #steps: ToolStep[] = [];

  get text(): string {
    return this.#pieces.join("");
  }

  add({ event }: ChatResponse): void {
    if (event?.$case === "text") this.#pieces.push(event.value.text);
    else if (event?.$case === "citation") this.#citations.push(event.value);
    else if (event?.$case === "toolCall") this.#steps.push({ call: event.value, result: undefined });
    else if (event?.$case === "toolResult") this.#addResult(event.value);
  }

  finish(ids: { id: string; turnId: string }, end: TurnEnd): Message {
    return Message.fromPartial({
      ...ids,
      role: MessageRole.ASSISTANT,
      text: this.text,
      createdTime: new Date(),
      citations: this.#citations,
      steps: this.#steps,
      end,
    });
  }

  #addResult(result: ToolResult): void {
    const at = this.#steps.findLastIndex(({ call }) => call?.callId === result.callId);
    const step = this.#steps[at];
    if (step) this.#steps[at] = { ...step, result };
  }
}
