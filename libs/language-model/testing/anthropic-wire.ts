import type { Wire, WireFinish } from "./wire.ts";
import { inPieces, serverSentEvent } from "./wire.ts";

const stopReasons: Readonly<Record<WireFinish, string>> = {
  stop: "end_turn",
  length: "max_tokens",
  content_filter: "refusal",
  tool_calls: "tool_use",
};

/** https://docs.anthropic.com/en/docs/build-with-claude/streaming */
export function createAnthropicWire(model: string): Wire {
  let index = -1;
  let open: string | undefined;
  const event = (type: string, more: object = {}) => serverSentEvent({ type, ...more }, type);
  const start = () =>
    event("message_start", {
      message: {
        ...{ id: "msg_1", type: "message", role: "assistant", model, content: [] },
        ...{ stop_reason: null, stop_sequence: null, usage: { input_tokens: 1, output_tokens: 1 } },
      },
    }) + event("ping");
  const close = () => {
    const ending = open === undefined ? "" : event("content_block_stop", { index });
    open = undefined;
    return ending;
  };
  /** The block that a piece belongs to, begun where another one or none is open. */
  const within = (block: { type: string; [field: string]: unknown }) => {
    if (open === block.type) return "";
    const before = index < 0 ? start() : close();
    index += 1;
    open = block.type;
    return before + event("content_block_start", { index, content_block: block });
  };
  const delta = (value: object) => event("content_block_delta", { index, delta: value });
  return {
    text: (piece) => within({ type: "text", text: "" }) + delta({ type: "text_delta", text: piece }),
    thought: (piece) =>
      within({ type: "thinking", thinking: "", signature: "" }) +
      delta({ type: "thinking_delta", thinking: piece }),
    toolCall({ id, name, arguments: written }) {
      // Each call is a block of its own.
      const before = index < 0 ? "" : close();
      const block = within({ type: "tool_use", id, name, input: {} });
      const pieces = inPieces(written).map((piece) =>
        delta({ type: "input_json_delta", partial_json: piece }),
      );
      return before + block + pieces.join("") + close();
    },
    finish(reason, usage = { prompt_tokens: 1, completion_tokens: 1 }) {
      const before = index < 0 ? start() : close();
      const { prompt_tokens: input_tokens, completion_tokens: output_tokens } = usage;
      return (
        before +
        event("message_delta", {
          delta: { stop_reason: stopReasons[reason], stop_sequence: null },
          usage: { input_tokens, output_tokens },
        }) +
        event("message_stop")
      );
    },
  };
}
