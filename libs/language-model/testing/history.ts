import type { ModelRequest } from "../language-model.ts";

/** For tests of what goes over the wire: all roles, a tool, and each setting. */
export const historyRequest: ModelRequest = {
  question: "And 2 more?",
  sources: [],
  messages: [
    { role: "system", text: "Be brief." },
    { role: "system", text: "So far: sums." },
    { role: "user", text: "What is 1 + 1?" },
    {
      role: "assistant",
      text: "Let me see.",
      toolCalls: [
        { id: "call_1", name: "calculator", arguments: '{"expression":"1 + 1"}' },
        { id: "call_2", name: "calculator", arguments: '{"expression":' },
      ],
    },
    { role: "tool", callId: "call_1", name: "calculator", text: "2", failed: false },
    { role: "tool", callId: "call_2", name: "calculator", text: "The arguments are not JSON.", failed: true },
    { role: "assistant", text: "2" },
    { role: "system", text: "No more calls." },
    { role: "user", text: "And 2 more?" },
  ],
  tools: [
    {
      name: "calculator",
      description: "Calculates exactly.",
      parameters: {
        type: "object",
        properties: { expression: { type: "string" } },
        required: ["expression"],
        additionalProperties: false,
      },
    },
  ],
  maxOutputTokens: 200,
  temperature: 0.25,
  topK: 40,
  stopSequences: ["Observation:"],
};
