import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Exchange, ScriptedModelServer } from "@headwater/language-model/scripted-model-server";
import { startScriptedModelServer } from "@headwater/language-model/scripted-model-server";
import type { Agent, DeepPartial } from "@headwater/proto/services/headwater/v1/agent";
import { AgentServiceDefinition } from "@headwater/proto/services/headwater/v1/agent";
import type { ChatResponse } from "@headwater/proto/services/headwater/v1/conversation";
import {
  ConversationServiceDefinition,
  TurnEndReason,
} from "@headwater/proto/services/headwater/v1/conversation";
import { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import type { RpcClient } from "@headwater/rpc";
import { createRpcClient } from "@headwater/rpc";
import { temporaryFolder } from "@headwater/testing";
import type { Stack } from "../support/test-stack.ts";
import { startTestStack } from "../support/test-stack.ts";

const texts = ["constitution", "origin-of-species", "study-in-scarlet"];
const question =
  "How old do a President and a Senator have to be together, at the least, in years and in days of 365.25?";

const folder = await temporaryFolder();
let models: ScriptedModelServer;
let stack: Stack;
let ingest: RpcClient<IngestServiceDefinition>;
let agents: RpcClient<AgentServiceDefinition>;
let conversations: RpcClient<ConversationServiceDefinition>;

before(async () => {
  models = await startScriptedModelServer();
  const modelsFile = join(folder, "models.json");
  const service = { provider: "openai-compatible", model: "scripted", base_url: models.baseUrl };
  const named = ["native", "text"].map((name) => ({ name, ...service, tool_calling: name }));
  await writeFile(modelsFile, JSON.stringify({ models: named }));
  stack = await startTestStack(folder, {
    services: ["embedding-worker", "ingest", "search", "generation"],
    environment: { HEADWATER_MODELS_FILE: modelsFile },
  });
  ingest = createRpcClient(IngestServiceDefinition, stack.address("ingest"));
  agents = createRpcClient(AgentServiceDefinition, stack.address("generation"));
  conversations = createRpcClient(ConversationServiceDefinition, stack.address("generation"));
  for await (const receipt of ingest.call.push(documents())) assert.equal(receipt.error, undefined);
  for await (const _ of ingest.call.watch({ ids: texts, untilSettled: true }));
  const other = { tenant: "others", ids: ["somebody-elses"], untilSettled: true };
  for await (const _ of ingest.call.watch(other));
});
after(async () => {
  for (const client of [ingest, agents, conversations]) client.close();
  await stack.close(2000);
  await models.close();
});

async function* documents() {
  for (const id of texts) {
    const file = new URL(`../../libs/evaluation/public-domain/training/documents/${id}.md`, import.meta.url);
    const document = { id, uri: `https://texts.example/${id}`, content: await readFile(file) };
    yield { part: { $case: "document" as const, value: document } };
  }
  const document = { tenant: "others", id: "somebody-elses", content: Buffer.from("None of your business.") };
  yield { part: { $case: "document" as const, value: document } };
}

/** What the model has read so far: all results of tools, in either protocol. */
const readBy = ({ request }: Exchange): string =>
  request.body.messages
    .slice(1)
    .map(({ content }) => content)
    .join("\n");

/** The number of the first source whose passage says so. */
function sourceOf(read: string, said: string): string {
  const found = read.split(/^> Source /m).find((source) => source.includes(said));
  return /^\d+/.exec(found ?? "")?.[0] ?? assert.fail(`no source says "${said}"`);
}

/** Calls that the model makes, step by step. */
const plan = [
  [{ name: "search", input: { query: "minimum age of the President" }, thought: "First the President." }],
  [{ name: "search", input: { query: "minimum age of a Senator" }, thought: "Now a Senator." }],
  [
    { name: "calculator", input: { expression: "35 + 30" }, thought: "Now the sum." },
    { name: "calculator", input: { expression: "(35 + 30) * 365.25" }, thought: "" },
  ],
];

/** The answer stands on what the results say: on their numbers of sources, and on what was calculated. */
function answerFrom(read: string): readonly string[] {
  const president = sourceOf(read, "Age of thirty five Years");
  const senator = sourceOf(read, "Age of thirty Years");
  const [years, days] = [...read.matchAll(/^> (\d+(?:\.\d+)?)$/gm)].map((match) => match[1]);
  return [
    "Final Answer:",
    ` A President has to attain the age of thirty five years [${president}].`,
    ` A Senator has to attain the age of thirty years [${senator}].`,
    ` Together these are ${years} years, or ${days} days.`,
  ];
}

async function nativeModel(exchange: Exchange): Promise<void> {
  const step = plan[exchange.request.body.messages.filter(({ role }) => role === "assistant").length];
  if (!step) for (const piece of answerFrom(readBy(exchange))) await exchange.text(piece);
  for (const [index, { name, input, thought }] of (step ?? []).entries()) {
    if (index === 0) await exchange.text(thought);
    await exchange.toolCall({ id: `call_${index}`, name, arguments: JSON.stringify(input) });
  }
  const usage = { prompt_tokens: 100, completion_tokens: 20 };
  await exchange.finish(step ? "tool_calls" : "stop", usage);
}

async function textModel(exchange: Exchange): Promise<void> {
  const step = plan[exchange.request.body.messages.filter(({ role }) => role === "assistant").length];
  const lines = step?.flatMap(({ name, input, thought }) => [
    ...(thought === "" ? [] : [`Thought: ${thought}\n`]),
    `Action: ${name}\nAction Input: ${JSON.stringify(input)}\n`,
  ]);
  for (const piece of lines ?? ["Thought: I know it now.\n", ...answerFrom(readBy(exchange))]) {
    for (const part of piece.match(/[\s\S]{1,7}/g) ?? []) await exchange.text(part);
  }
  await exchange.finish("stop", { prompt_tokens: 100, completion_tokens: 20 });
}

async function chat(agent: DeepPartial<Agent>): Promise<ChatResponse[]> {
  const created = await agents.call.createAgent({ agent });
  const events: ChatResponse[] = [];
  const request = { message: question, agentId: created.agent?.id ?? "", skipMemory: true };
  for await (const event of conversations.call.chat(request)) events.push(event);
  return events;
}

for (const [protocol, script] of [
  ["native", nativeModel],
  ["text", textModel],
] as const) {
  test(`${protocol} calls: two searches and a calculation, every step streamed, the answer cited`, async () => {
    models.script = script;
    const events = await chat({
      name: `${protocol} scholar`,
      model: protocol,
      preamble: "You know the constitution.",
      topK: 4,
      tools: [{ name: "search" }, { name: "calculator" }],
    });
    const calls = events.flatMap(({ event, step }) =>
      event?.$case === "toolCall" ? [[step, event.value.tool, JSON.parse(event.value.arguments)]] : [],
    );
    assert.deepEqual(
      calls,
      plan.flatMap((step, index) => step.map(({ name, input }) => [index + 1, name, input])),
    );
    const results = events.flatMap(({ event }) => (event?.$case === "toolResult" ? [event.value] : []));
    assert.deepEqual(
      results.map(({ failed }) => failed),
      [false, false, false, false],
    );
    assert.deepEqual(
      results.slice(2).map(({ text }) => text),
      ["65", "23741.25"],
    );
    const thoughts = events.flatMap(({ event }) => (event?.$case === "thought" ? [event.value.text] : []));
    assert.match(thoughts.join(""), /First the President\.[\s\S]*Now a Senator\.[\s\S]*Now the sum\./);

    const text = events.flatMap(({ event }) => (event?.$case === "text" ? [event.value.text] : [])).join("");
    assert.match(text, /^A President has to .* Together these are 65 years, or 23741\.25 days\.$/);
    const hits = events.flatMap(({ event }) => (event?.$case === "passages" ? event.value.hits : []));
    const citations = events.flatMap(({ event }) => (event?.$case === "citation" ? [event.value] : []));
    assert.equal(citations.length, 2);
    for (const [index, said] of ["thirty five Years", "thirty Years"].entries()) {
      const citation = citations[index];
      assert(citation?.evidence && citation.claim);
      // Sources are numbered over the whole turn, in the order in which their passages were streamed.
      assert.equal(hits[citation.source - 1]?.passageId, citation.passageId);
      const found = await ingest.call.getText({ id: citation.document?.id ?? "", range: citation.evidence });
      assert.equal(found.text, citation.quote);
      assert(citation.quote.includes(said), citation.quote);
      assert(citation.support > 0.3);
    }
    const end = events.at(-1)?.event;
    assert(end?.$case === "end");
    assert.deepEqual(
      [end.value.reason, end.value.steps, end.value.model, end.value.usage],
      [TurnEndReason.COMPLETE, 4, protocol, { inputTokens: 400, outputTokens: 80, cost: 0 }],
    );
    assert.deepEqual(
      events.map(({ sequence }) => sequence),
      events.map((_, index) => index + 1),
    );
  });
}

test("what a document says beyond the passage is fetched, and can be cited; one of another tenant is not", async () => {
  const beginning = "All legislative Powers herein granted";
  models.script = async (exchange) => {
    const results = exchange.request.body.messages.filter(({ role }) => role === "tool");
    const read = readBy(exchange);
    if (results.length === 0) {
      const ask = (id: string) => JSON.stringify({ id, start: 0, length: 600 });
      await exchange.toolCall({ id: "a", name: "fetch_document", arguments: ask("constitution") });
      await exchange.toolCall({ id: "b", name: "fetch_document", arguments: ask("somebody-elses") });
      return await exchange.finish("tool_calls");
    }
    await exchange.text(
      `Final Answer: The Congress has all legislative powers [${sourceOf(read, beginning)}].`,
    );
    await exchange.finish("stop");
  };
  const events = await chat({ name: "reader", model: "native", tools: [{ name: "fetch_document" }] });
  const results = events.flatMap(({ event }) => (event?.$case === "toolResult" ? [event.value] : []));
  assert.match(results[0]?.text ?? "", /offsets 0 to \d+ of \d+\. The next part begins at \d+\./);
  assert.deepEqual(
    results.map(({ failed }) => failed),
    [false, true],
  );
  const [citation] = events.flatMap(({ event }) => (event?.$case === "citation" ? [event.value] : []));
  assert(citation?.evidence);
  const found = await ingest.call.getText({ id: "constitution", range: citation.evidence });
  assert.equal(found.text, citation.quote);
});

test("an agent on the extractive model answers from one search, and says so", async () => {
  const events = await chat({ name: "extractive", model: "extractive", tools: [{ name: "search" }] });
  const thoughts = events.flatMap(({ event }) => (event?.$case === "thought" ? [event.value.text] : []));
  assert.match(thoughts.join(""), /cannot call tools; the answer comes from one search/);
  assert(events.some(({ event }) => event?.$case === "passages"));
});

test("the tools that agents may have are listed, with the schemas of their arguments", async () => {
  const { tools, unavailable } = await agents.call.listTools({});
  assert.deepEqual(
    tools.map(({ name, source }) => [name, source]),
    ["calculator", "fetch_document", "search", "text", "time"].map((name) => [name, "built-in"]),
  );
  for (const { parametersJson } of tools) assert.equal(JSON.parse(parametersJson).type, "object");
  assert.deepEqual(unavailable, []);
});
