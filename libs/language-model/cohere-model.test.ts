import assert from "node:assert/strict";
import { test } from "node:test";
import { createCohereModel } from "./index.ts";
import { createCohereWire } from "./testing/cohere-wire.ts";
import { historyRequest } from "./testing/history.ts";
import { startScriptedModelServer } from "./testing/scripted-model-server.ts";
import { serviceModelConformance } from "./testing/service-conformance.ts";

serviceModelConformance("Cohere", {
  create: (server, options) => createCohereModel({ ...options, baseUrl: server.cohereBaseUrl }),
  wire: () => createCohereWire(),
  keyOf: ({ authorization }) => /^Bearer (.*)$/.exec(authorization ?? "")?.[1],
});

test("history, tools and settings go in the protocol's own words", async () => {
  const server = await startScriptedModelServer();
  const model = createCohereModel({ name: "m", model: "m", baseUrl: server.cohereBaseUrl });
  await Array.fromAsync(model.generate(historyRequest, new AbortController().signal));
  await server.close();
  assert.deepEqual(server.requests[0]?.body, {
    model: "m",
    max_tokens: 200,
    temperature: 0.25,
    k: 40,
    stop_sequences: ["Observation:"],
    messages: [
      { role: "system", content: "Be brief.\n\nSo far: sums." },
      { role: "user", content: "What is 1 + 1?" },
      {
        role: "assistant",
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
      { role: "tool", content: "2", tool_call_id: "call_1" },
      { role: "tool", content: "The arguments are not JSON.", tool_call_id: "call_2" },
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
  });
});
