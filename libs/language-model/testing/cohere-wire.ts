import type { Wire, WireFinish } from "./wire.ts";
import { inPieces, serverSentEvent } from "./wire.ts";

const finishReasons: Readonly<Record<WireFinish, string>> = {
  stop: "COMPLETE",
  length: "MAX_TOKENS",
  content_filter: "ERROR_TOXIC",
  tool_calls: "TOOL_CALL",
};

/** https://docs.cohere.com/v2/docs/streaming */
export function createCohereWire(): Wire {
  let index = -1;
  let open: "text" | "thinking" | undefined;
  let started = false;
  const event = (type: string, more: object = {}) => serverSentEvent({ type, ...more }, type);
  const start = () => {
    if (started) return "";
    started = true;
    const message = { role: "assistant", content: [], tool_plan: "", tool_calls: [], citations: [] };
    return event("message-start", { id: "29f14a5a", delta: { message } });
  };
  const close = () => {
    const ending = open === undefined ? "" : event("content-end", { index });
    open = undefined;
    return ending;
  };
  const begin = (type: "text" | "thinking") => {
    if (open === type) return "";
    const before = start() + close();
    index += 1;
    open = type;
    return before + event("content-start", { index, delta: { message: { content: { type, [type]: "" } } } });
  };
  const piece = (type: "text" | "thinking", text: string) =>
    begin(type) + event("content-delta", { index, delta: { message: { content: { [type]: text } } } });
  return {
    text: (text) => piece("text", text),
    thought: (text) => piece("thinking", text),
    toolCall({ id, name, arguments: written }) {
      const call = (type: string, value: object) =>
        event(type, { index: 0, delta: { message: { tool_calls: value } } });
      return [
        start() + close(),
        call("tool-call-start", { id, type: "function", function: { name, arguments: "" } }),
        ...inPieces(written).map((text) => call("tool-call-delta", { function: { arguments: text } })),
        event("tool-call-end", { index: 0 }),
      ].join("");
    },
    finish(reason, usage = { prompt_tokens: 1, completion_tokens: 1 }) {
      const counted = { input_tokens: usage.prompt_tokens, output_tokens: usage.completion_tokens };
      return (
        start() +
        close() +
        event("message-end", {
          delta: {
            finish_reason: finishReasons[reason],
            usage: { billed_units: counted, tokens: counted },
          },
        })
      );
    },
  };
}
