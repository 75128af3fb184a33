import assert from "node:assert/strict";
import { test } from "node:test";
import { conformanceRequest } from "./conformance.ts";
import { createOpenAiCompatibleModel } from "./index.ts";
import { historyRequest } from "./testing/history.ts";
import { createOpenAiWire } from "./testing/openai-wire.ts";
import { startScriptedModelServer } from "./testing/scripted-model-server.ts";
import { serviceModelConformance } from "./testing/service-conformance.ts";

const never = new AbortController().signal;

serviceModelConformance("an OpenAI-compatible service", {
  create: ({ baseUrl }, options) => createOpenAiCompatibleModel({ ...options, baseUrl }),
  wire: () => createOpenAiWire("m"),
  keyOf: ({ authorization }) => /^Bearer (.*)$/.exec(authorization ?? "")?.[1],
  errorEvent: 'data: {"error":{"message":"overloaded"}}\n\n',
});

test("history, tools and settings go in the protocol's own words", async () => {
  const server = await startScriptedModelServer();
  const model = createOpenAiCompatibleModel({ name: "llama", model: "m", baseUrl: server.baseUrl });
  await Array.fromAsync(model.generate(historyRequest, never));
  await server.close();
  const sent = server.requests[0];
  assert.equal(sent?.headers.authorization, undefined);
  assert.deepEqual(sent?.body, {
    model: "m",
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: 200,
    temperature: 0.25,
    top_k: 40,
    stop: ["Observation:"],
    messages: [
      { role: "system", content: "Be brief.\n\nSo far: sums." },
      { role: "user", content: "What is 1 + 1?" },
      {
        role: "assistant",
        content: "Let me see.",
        tool_calls: [
          {
            ...{ id: "call_1", type: "function" },
            function: { name: "calculator", arguments: '{"expression":"1 + 1"}' },
          },
          {
            ...{ id: "call_2", type: "function" },
            function: { name: "calculator", arguments: '{"malformed":"{\\"expression\\":"}' },
          },
        ],
      },
      { role: "tool", tool_call_id: "call_1", content: "2" },
      { role: "tool", tool_call_id: "call_2", content: "The arguments are not JSON." },
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
  });
});

test("a service that counts no tokens is estimated for", async () => {
  const server = await startScriptedModelServer();
  const model = createOpenAiCompatibleModel({ name: "llama", model: "m", baseUrl: server.baseUrl });
  server.script = async (exchange) => {
    await exchange.text("Eight tokens are what this text has.");
    await exchange.finish("content_filter");
  };
  const finish = (await Array.fromAsync(model.generate(conformanceRequest, never))).at(-1);
  await server.close();
  assert(finish?.type === "finish" && finish.reason === "refused");
  assert.equal(finish.usage.outputTokens, 9);
  assert(finish.usage.inputTokens > 20);
});

test("calls count also where a service says that it merely stopped", async () => {
  const server = await startScriptedModelServer();
  const model = createOpenAiCompatibleModel({ name: "llama", model: "m", baseUrl: server.baseUrl });
  server.script = async (exchange) => {
    await exchange.toolCall({ id: "1", name: "calculator", arguments: "{oops" });
    await exchange.finish("stop");
  };
  const events = await Array.fromAsync(model.generate(historyRequest, never));
  await server.close();
  assert.deepEqual(
    events.map((event) => (event.type === "finish" ? event.reason : event)),
    [{ type: "tool-call", call: { id: "1", name: "calculator", arguments: "{oops" } }, "tool-calls"],
  );
});
