import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ChatEvent, HeadwaterClient } from "@headwater/client";
import { createHeadwaterClient } from "@headwater/client";
import type { SeenEvent } from "@headwater/gateway/testing/fixture";
import { eventsOf } from "@headwater/gateway/testing/fixture";
import type { ScriptedModelServer } from "@headwater/language-model/scripted-model-server";
import { startScriptedModelServer } from "@headwater/language-model/scripted-model-server";
import { temporaryFolder } from "@headwater/testing";
import OpenAI from "openai";
import type { ServiceName, Stack } from "../support/test-stack.ts";
import { startTestStack } from "../support/test-stack.ts";

const behind: readonly ServiceName[] = ["embedding-worker", "ingest", "search", "generation"];
const dataFolder = await temporaryFolder();
const sentence = "A river meanders because the outside of a bend erodes.";

let model: ScriptedModelServer;
let services: Stack;
let gateway: Stack;
let client: HeadwaterClient;

/** @param listen host:port; the same again as a restarted gateway has */
function startGateway(listen: string): Promise<Stack> {
  const address = services.address.bind(services);
  return startTestStack(dataFolder, {
    services: ["gateway"],
    environment: {
      HEADWATER_GATEWAY_LISTEN: listen,
      HEADWATER_EMBEDDING_ADDRESS: address("embedding-worker"),
      HEADWATER_INGEST_ADDRESS: address("ingest"),
      HEADWATER_SEARCH_ADDRESS: address("search"),
      HEADWATER_GENERATION_ADDRESS: address("generation"),
    },
  });
}

before(async () => {
  model = await startScriptedModelServer();
  services = await startTestStack(dataFolder, {
    services: behind,
    environment: {
      HEADWATER_OPENAI_BASE_URL: model.baseUrl,
      HEADWATER_OPENAI_MODEL: "scripted",
      HEADWATER_GENERATION_MODEL: "scripted",
    },
  });
  gateway = await startGateway("127.0.0.1:0");
  client = createHeadwaterClient({ baseUrl: `http://${gateway.address("gateway")}` });
  await client.documents.upload([{ id: "meanders.txt", content: new Blob([sentence]) }]);
  for await (const _ of client.documents.watch({ ids: ["meanders.txt"], untilSettled: true }));
});
after(async () => {
  await gateway.close(2000);
  await services.close(5000);
  await model.close();
});

/** A model that stops in the middle of its answer until it is told to go on. */
function scriptPause(): { goOn(): void; calls(): number } {
  const before = model.requests.length;
  const pause = Promise.withResolvers<void>();
  model.script = async (exchange) => {
    await exchange.text("The outside of a bend erodes [1]. ");
    await exchange.text("So the river ");
    await pause.promise;
    await exchange.text("swings to and fro, ");
    await exchange.text("and meanders.");
    await exchange.finish();
  };
  return { goOn: pause.resolve, calls: () => model.requests.length - before };
}

const answer = "The outside of a bend erodes [1]. So the river swings to and fro, and meanders.";

async function restartGateway(): Promise<void> {
  const listen = gateway.address("gateway");
  await gateway.close(2000);
  gateway = await startGateway(listen);
}

test("the client goes on by itself when the gateway restarts in the middle of a turn", async () => {
  const { goOn, calls } = scriptPause();
  const events: ChatEvent[] = [];
  let restarted: Promise<void> | undefined;
  for await (const event of client.chat("Why does a river meander?", { skipMemory: true })) {
    events.push(event);
    if (event.type === "text" && !restarted) restarted = restartGateway().then(goOn);
  }
  await restarted;
  const text = events.map((event) => (event.type === "text" ? event.text : "")).join("");
  assert.equal(text.trim(), answer);
  assert.deepEqual(
    events.map(({ sequence }) => sequence),
    events.map((_, index) => index + 1),
  );
  const end = events.at(-1);
  assert(end?.type === "end" && end.reason === "complete");
  assert.equal(calls(), 1);
});

test("an event stream goes on by Last-Event-ID when the gateway restarts, and the answer is kept once", async () => {
  const { goOn, calls } = scriptPause();
  const events = { accept: "text/event-stream" };
  const url = () => `http://${gateway.address("gateway")}/api/v1/chat`;
  const seen: SeenEvent[] = [];
  const read = async (response: Response): Promise<string> => {
    assert.equal(response.status, 200);
    for await (const event of eventsOf(response)) {
      if (event.event === "error") return JSON.stringify(event.data);
      if (event.event === "comment") continue;
      seen.push(event);
      if (event.event === "text" && !restarted) restarted = restartGateway();
    }
    return "";
  };
  let restarted: Promise<void> | undefined;
  const failure = await read(
    await fetch(url(), {
      method: "POST",
      headers: { "content-type": "application/json", ...events },
      body: JSON.stringify({ message: "Why does a river meander?", skip_memory: true }),
    }),
  );
  assert.match(failure, /HW_SERVER_DRAINING/);
  await restarted;
  const resumed = fetch(url(), { headers: { ...events, "last-event-id": seen.at(-1)?.id ?? "" } });
  goOn();
  assert.equal(await read(await resumed), "");
  assert.deepEqual(
    seen.map(({ data }) => (data as { sequence: number }).sequence),
    seen.map((_, index) => index + 1),
  );
  assert.equal(seen.at(-1)?.event, "end");
  assert.equal(calls(), 1);
  const started = seen[0]?.data as { conversation_id: string } | undefined;
  const { messages } = await client.conversations.messages(started?.conversation_id ?? "");
  assert.deepEqual(
    messages.map(({ role }) => role),
    ["user", "assistant"],
  );
  assert.equal(messages[1]?.text.trim(), answer);
});

test("the official openai client answers and embeds over one's own documents", async () => {
  const { goOn } = scriptPause();
  goOn();
  const openai = new OpenAI({
    baseURL: `http://${gateway.address("gateway")}/v1`,
    apiKey: "unused",
    maxRetries: 0,
  });
  const models = await Array.fromAsync(openai.models.list());
  assert.equal(models[0]?.id, "scripted");
  const messages = [{ role: "user" as const, content: "Why does a river meander?" }];
  const whole = await openai.chat.completions.create({ model: "scripted", messages });
  assert.equal(whole.choices[0]?.message.content?.trim(), answer);
  assert.equal(whole.choices[0]?.message.annotations?.[0]?.url_citation.title, "meanders.txt");
  const extracted = await openai.chat.completions.create({ model: "extractive", messages, stream: true });
  let text = "";
  for await (const { choices } of extracted) text += choices[0]?.delta.content ?? "";
  assert.match(text, /outside of a bend erodes/);
  const unknown = openai.chat.completions.create({ model: "gpt-unknown", messages });
  await assert.rejects(unknown, { status: 404, code: "model_not_found" });
  const wrong = openai.embeddings.create({ model: "text-embedding-3-small", input: "x" });
  const name = await wrong.then(
    () => assert.fail("an unknown embedding model was taken"),
    (thrown: unknown) => /there is ([\w.-]+\w)/.exec(String(thrown))?.[1] ?? "",
  );
  const input = [sentence, "Glaciers flow.", sentence];
  const { data, usage } = await openai.embeddings.create({ model: name, input });
  const [river, ice, again] = data.map(({ embedding }) => embedding);
  assert(river && ice && again);
  assert(dot(river, again) > 0.999 && dot(river, ice) < 0.9);
  assert(usage.prompt_tokens > 20);
});

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}
