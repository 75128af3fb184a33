/**
 * What Open WebUI sends to a server of OpenAI's API that was given to it as a connection, and how it reads the answers,
 * after its source: backend/open_webui/routers/openai.py (models, chat completions, usage asked for in every stream)
 * and routers/tasks.py (title, tags and follow-ups, which it asks of the same model after the first answer), in
 * https://github.com/open-webui/open-webui at 004a45f and 074d488.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "@headwater/testing";
import { startFixture } from "../testing/fixture.ts";

const fixture = await startFixture({ HEADWATER_GATEWAY_API_KEYS: "key-of-acme acme *" });
const { conversations } = fixture.doubles;

/** With ENABLE_FORWARD_USER_INFO_HEADERS it tells who is signed in to it. */
const headers = {
  authorization: "Bearer key-of-acme",
  "content-type": "application/json",
  "x-openwebui-user-name": "Ada",
  "x-openwebui-user-id": "9c1d",
  "x-openwebui-user-email": "ada@example.org",
  "x-openwebui-user-role": "user",
  "x-openwebui-chat-id": "chat-1",
};

interface Model {
  id: string;
  object: string;
}

interface Completion {
  choices: { message: { content: string } }[];
  usage: { total_tokens: number };
}

async function models(): Promise<Model[]> {
  const response = await fetch(fixture.url("/v1/models"), { headers });
  assert.equal(response.status, 200);
  return ((await response.json()) as { data: Model[] }).data;
}

function complete(body: object, signal?: AbortSignal): Promise<Response> {
  return fetch(fixture.url("/v1/chat/completions"), {
    method: "POST",
    headers,
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
}

/** Reads a stream as it does: line by line, JSON after "data: ", until [DONE]. */
async function readStream(response: Response): Promise<{ content: string; usage: unknown; done: boolean }> {
  assert.match(response.headers.get("content-type") ?? "", /text\/event-stream/);
  let content = "";
  let usage: unknown;
  let done = false;
  for (const line of (await response.text()).split("\n")) {
    if (!line.startsWith("data: ")) continue;
    const data = line.slice(6);
    if (data.trim() === "[DONE]") {
      done = true;
      continue;
    }
    const chunk = JSON.parse(data) as { choices: { delta: { content?: string } }[]; usage?: unknown };
    content += chunk.choices[0]?.delta.content ?? "";
    usage = chunk.usage ?? usage;
  }
  return { content, usage, done };
}

test("a chat of Open WebUI: models, two streamed turns, then title, tags and follow-ups", async () => {
  const [model] = await models();
  assert.deepEqual([model?.id, model?.object], ["extractive", "model"]);
  const streamed = { stream: true, model: model?.id, stream_options: { include_usage: true } };

  const first = await readStream(
    await complete({ ...streamed, messages: [{ role: "user", content: "when do spring tides come?" }] }),
  );
  assert.deepEqual(first, {
    content: "At new moon and full moon.",
    usage: { prompt_tokens: 120, completion_tokens: 8, total_tokens: 128 },
    done: true,
  });

  // A model's own parameters and its system prompt, as an administrator sets them, travel along.
  const second = await complete({
    ...streamed,
    temperature: 0.3,
    top_p: 0.9,
    top_k: 40,
    min_p: 0,
    frequency_penalty: 0.1,
    presence_penalty: 0,
    repeat_penalty: 1.1,
    mirostat: 0,
    seed: 42,
    max_tokens: 500,
    stop: ["</s>"],
    logit_bias: { "50256": -100 },
    reasoning: { effort: "low" },
    messages: [
      { role: "system", content: "You speak to sailors." },
      { role: "user", content: "when do spring tides come?" },
      { role: "assistant", content: first.content },
      {
        role: "user",
        content: [{ type: "text", text: "and neap tides?", cache_control: { type: "ephemeral" } }],
      },
    ],
  });
  assert.equal((await readStream(second)).done, true);
  const asked = conversations.chatRequest;
  assert.deepEqual(
    [asked?.message, asked?.temperature, asked?.maxOutputTokens, asked?.tenant, asked?.skipMemory],
    ["and neap tides?", 0.3, 500, "acme", true],
  );
  assert.deepEqual(asked?.history, [
    { role: 1, text: "You speak to sailors." },
    { role: 1, text: "when do spring tides come?" },
    { role: 2, text: "At new moon and full moon." },
  ]);

  const history = "<chat_history>\nUSER: when?\nASSISTANT: At new moon.\n</chat_history>";
  const tasks = [
    { task: "Make a title of at most 5 words as JSON.", max_completion_tokens: 1000 },
    { task: "Make 1 to 3 tags as JSON.", max_tokens: 1000 },
    { task: "Suggest 3 to 5 further questions as JSON." },
  ];
  for (const { task, ...limits } of tasks) {
    const messages = [{ role: "user", content: `### Task:\n${task}\n${history}` }];
    const response = await complete({ model: model?.id, messages, stream: false, ...limits });
    assert.equal(response.status, 200);
    const { choices, usage } = (await response.json()) as Completion;
    // Where it finds no JSON in the answer it keeps the title that it has.
    assert.equal(typeof choices[0]?.message.content, "string");
    assert.equal(usage.total_tokens, 128);
  }
  assert.equal(conversations.modelCalls, 5);
  assert.equal(conversations.chatRequest?.stateless, true);
});

test("its stop button ends the turn, and what it cannot be given is told in words that it shows", async () => {
  const leaving = new AbortController();
  const body = { stream: true, model: "extractive", messages: [{ role: "user", content: "endless" }] };
  const response = await complete(body, leaving.signal);
  await response.body?.getReader().read();
  leaving.abort();
  const turn = [...conversations.turns.values()].at(-1);
  await until("the turn's end", () => turn?.ended === true);

  const refused = await complete({ ...body, tools: [{ type: "function", function: { name: "search" } }] });
  assert.equal(refused.status, 400);
  const { error } = (await refused.json()) as { error: { message: string } };
  assert.match(error.message, /tools of the caller are not taken/);
});
