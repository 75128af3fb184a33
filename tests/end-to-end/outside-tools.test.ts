import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import type { Exchange, ScriptedModelServer } from "@headwater/language-model/scripted-model-server";
import { startScriptedModelServer } from "@headwater/language-model/scripted-model-server";
import { AgentServiceDefinition } from "@headwater/proto/services/headwater/v1/agent";
import type { ChatResponse } from "@headwater/proto/services/headwater/v1/conversation";
import {
  ConversationServiceDefinition,
  TurnEndReason,
} from "@headwater/proto/services/headwater/v1/conversation";
import type { RpcClient } from "@headwater/rpc";
import { createRpcClient } from "@headwater/rpc";
import { temporaryFolder, until } from "@headwater/testing";
import type { Stack } from "../support/test-stack.ts";
import { startTestStack } from "../support/test-stack.ts";

/** An MCP server that others made, as its users start it. */
const everything = join(
  dirname(createRequire(import.meta.url).resolve("@modelcontextprotocol/server-everything/package.json")),
  "dist/index.js",
);
const folder = await temporaryFolder();
let models: ScriptedModelServer;
let stack: Stack;
let agents: RpcClient<AgentServiceDefinition>;
let conversations: RpcClient<ConversationServiceDefinition>;

before(async () => {
  models = await startScriptedModelServer();
  const model = { name: "scripted", provider: "openai-compatible", model: "m", base_url: models.baseUrl };
  const tools = {
    mcp: [
      { name: "everything", command: process.execPath, args: [everything, "stdio"], needs_approval: false },
      { name: "gone", url: "http://127.0.0.1:1/mcp" },
    ],
    sandbox: { enabled: true },
  };
  const files = { HEADWATER_MODELS_FILE: { models: [model] }, HEADWATER_TOOLS_FILE: tools };
  const environment: Record<string, string> = {};
  for (const [name, content] of Object.entries(files)) {
    environment[name] = join(folder, `${name}.json`);
    await writeFile(environment[name], JSON.stringify(content));
  }
  stack = await startTestStack(folder, {
    services: ["embedding-worker", "ingest", "search", "generation"],
    environment,
  });
  agents = createRpcClient(AgentServiceDefinition, stack.address("generation"));
  conversations = createRpcClient(ConversationServiceDefinition, stack.address("generation"));
});
after(async () => {
  agents.close();
  conversations.close();
  await stack.close(2000);
  await models.close();
});

/** Calls that the model makes, step by step; then it answers with what they brought. */
const plan = [
  { name: "everything__get-sum", input: { a: 1234, b: 4321 } },
  { name: "run_code", input: { code: "[...'headwater'].reverse().join('')" } },
];

async function model(exchange: Exchange): Promise<void> {
  const results = exchange.request.body.messages.filter(({ role }) => role === "tool");
  const step = plan[results.length];
  if (step) {
    const id = `call_${results.length}`;
    await exchange.toolCall({ id, name: step.name, arguments: JSON.stringify(step.input) });
    return exchange.finish("tool_calls");
  }
  const read = results.map(({ content }) => content).join("\n");
  await exchange.text(`The sum is ${/\b5555\b/.exec(read)?.[0]}, the word ${/retawdaeh/.exec(read)?.[0]}.`);
  return exchange.finish("stop");
}

test("an agent has the tools of an off-the-shelf MCP server and the sandbox, and is told what is away", async () => {
  // The first look starts the server's process.
  await until("the server has started", async () => {
    const { tools } = await agents.call.listTools({});
    return tools.some(({ source }) => source === "mcp:everything");
  });
  const { tools, unavailable } = await agents.call.listTools({});
  assert(tools.some(({ name, source }) => name === "run_code" && source === "sandbox"));
  assert.equal(unavailable.length, 1);
  assert.match(unavailable[0] ?? "", /^gone: The MCP server gone does not answer/);

  models.script = model;
  const { agent } = await agents.call.createAgent({
    agent: { name: "adder", model: "scripted", tools: [{ name: "everything__*" }, { name: "run_code" }] },
  });
  const events: ChatResponse[] = [];
  const request = {
    message: "Add the numbers and turn the word.",
    agentId: agent?.id ?? "",
    skipMemory: true,
  };
  for await (const event of conversations.call.chat(request)) events.push(event);

  const calls = events.flatMap(({ event }) => (event?.$case === "toolCall" ? [event.value.tool] : []));
  assert.deepEqual(calls, ["everything__get-sum", "run_code"]);
  const results = events.flatMap(({ event }) => (event?.$case === "toolResult" ? [event.value.text] : []));
  assert.match(results[0] ?? "", /5555/);
  assert.match(results[1] ?? "", /retawdaeh/);
  const text = events.flatMap(({ event }) => (event?.$case === "text" ? [event.value.text] : [])).join("");
  assert.equal(text, "The sum is 5555, the word retawdaeh.");
  const last = events.at(-1)?.event;
  assert.equal(last?.$case, "end");
  assert.equal(last.value.reason, TurnEndReason.COMPLETE);
});
