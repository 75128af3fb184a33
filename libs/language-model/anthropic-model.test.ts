import assert from "node:assert/strict";
import { test } from "node:test";
import { createAnthropicModel } from "./index.ts";
import { createAnthropicWire } from "./testing/anthropic-wire.ts";
import { historyRequest } from "./testing/history.ts";
import { startScriptedModelServer } from "./testing/scripted-model-server.ts";
import { serviceModelConformance } from "./testing/service-conformance.ts";

serviceModelConformance("Anthropic", {
  create: (server, options) => createAnthropicModel({ ...options, baseUrl: server.baseUrl }),
  wire: () => createAnthropicWire("m"),
  keyOf: (headers) => headers["x-api-key"]?.toString(),
  errorEvent:
    'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n',
});

test("history, tools and settings go in the protocol's own words", async () => {
  const server = await startScriptedModelServer();
  const model = createAnthropicModel({ name: "m", model: "m", baseUrl: server.baseUrl });
  await Array.fromAsync(model.generate(historyRequest, new AbortController().signal));
  await server.close();
  assert.deepEqual(server.requests[0]?.body, {
    model: "m",
    max_tokens: 200,
    temperature: 0.25,
    top_k: 40,
    stop_sequences: ["Observation:"],
    system: [{ type: "text", text: "Be brief.\n\nSo far: sums." }],
    messages: [
      { role: "user", content: [{ type: "text", text: "What is 1 + 1?" }] },
      {
        role: "assistant",
        content: [
          { type: "text", text: "Let me see." },
          { type: "tool_use", id: "call_1", name: "calculator", input: { expression: "1 + 1" } },
          { type: "tool_use", id: "call_2", name: "calculator", input: { malformed: '{"expression":' } },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "call_1", content: "2" },
          {
            type: "tool_result",
            tool_use_id: "call_2",
            content: "The arguments are not JSON.",
            is_error: true,
          },
        ],
      },
      { role: "assistant", content: [{ type: "text", text: "2" }] },
      {
        role: "user",
        content: [
          { type: "text", text: "No more calls." },
          { type: "text", text: "And 2 more?" },
        ],
      },
    ],
    tools: [
      {
        name: "calculator",
        description: "Calculates exactly.",
        input_schema: historyRequest.tools?.[0]?.parameters,
        eager_input_streaming: true,
      },
    ],
    stream: true,
  });
});
