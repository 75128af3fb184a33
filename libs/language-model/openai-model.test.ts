import assert from "node:assert/strict";
import { test } from "node:test";
import { createOpenAiModel } from "./index.ts";
import { historyRequest } from "./testing/history.ts";
import { createOpenAiWire } from "./testing/openai-wire.ts";
import { startScriptedModelServer } from "./testing/scripted-model-server.ts";
import { serviceModelConformance } from "./testing/service-conformance.ts";

serviceModelConformance("OpenAi", {
  create: (server, options) => createOpenAiModel({ ...options, baseUrl: server.baseUrl }),
  wire: () => createOpenAiWire("m"),
  keyOf: ({ authorization }) => /^Bearer (.*)$/.exec(authorization ?? "")?.[1],
  errorEvent: 'data: {"error":{"message":"overloaded","type":"server_error"}}\n\n',
});

test("history, tools and settings go in the protocol's own words", async () => {
  const server = await startScriptedModelServer();
  const model = createOpenAiModel({ name: "m", model: "m", baseUrl: server.baseUrl });
  await Array.fromAsync(model.generate(historyRequest, new AbortController().signal));
  await server.close();
  assert.deepEqual(server.requests[0]?.body, {
    model: "m",
    max_tokens: 200,
    temperature: 0.25,
    stop: ["Observation:"],
    messages: [
      { role: "system", content: "Be brief.\n\nSo far: sums." },
      { role: "user", content: "What is 1 + 1?" },
      {
        role: "assistant",
        content: "Let me see.",
        tool_calls: [
          {
            id: "call_1",
            type: "function",
            function: { name: "calculator", arguments: '{"expression":"1 + 1"}' },
          },
          {
            id: "call_2",
            type: "function",
            function: { name: "calculator", arguments: '{"malformed":"{\\"expression\\":"}' },
          },
        ],
      },
      { role: "tool", tool_call_id: "call_1", content: "2" },
      { role: "tool", tool_call_id: "call_2", content: '{"error":"The arguments are not JSON."}' },
      { role: "assistant", content: "2" },
      { role: "user", content: "No more calls." },
      { role: "user", content: "And 2 more?" },
    ],
    tools: [
      {
        type: "function",
        function: {
          name: "calculator",
          description: "Calculates exactly.",
          parameters: historyRequest.tools?.[0]?.parameters,
        },
      },
    ],
    stream: true,
    stream_options: { include_usage: true },
  });
});
