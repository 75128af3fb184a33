import type { Wire } from "./wire.ts";
import { inPieces, serverSentEvent } from "./wire.ts";

/** https://platform.openai.com/docs/api-reference/chat-streaming */
export function createOpenAiWire(model: string): Wire {
  let calls = 0;
  const chunk = (choice: object, more: object = {}) =>
    serverSentEvent({
      ...{ id: "chatcmpl-1", object: "chat.completion.chunk", created: 1_800_000_000, model },
      choices: [{ index: 0, finish_reason: null, ...choice }],
      ...more,
    });
  return {
    text: (piece) => chunk({ delta: { content: piece } }),
    // As DeepSeek, vLLM and llama.cpp have it; OpenAI itself shows no reasoning here.
    thought: (piece) => chunk({ delta: { reasoning_content: piece } }),
    toolCall({ id, name, arguments: written }) {
      const index = calls;
      calls += 1;
      const delta = (call: object) => chunk({ delta: { tool_calls: [{ index, ...call }] } });
      return [
        delta({ id, type: "function", function: { name, arguments: "" } }),
        ...inPieces(written).map((piece) => delta({ function: { arguments: piece } })),
      ].join("");
    },
    finish: (reason, usage) =>
      chunk({ delta: {}, finish_reason: reason }, usage ? { usage } : {}) + serverSentEvent("[DONE]"),
  };
}
