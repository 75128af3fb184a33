import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "@headwater/testing";
import OpenAI from "openai";
import { startFixture } from "../testing/fixture.ts";

const fixture = await startFixture();
const guarded = await startFixture({ HEADWATER_GATEWAY_API_KEYS: "key-of-acme acme" });
const { conversations } = fixture.doubles;
const client = new OpenAI({ baseURL: fixture.url("/v1"), apiKey: "unused", maxRetries: 0 });
const question = { role: "user", content: "when?" } as const;

/** Fields of ours that OpenAI's types do not know. */
interface Extended {
  headwater: { end_reason: string; citations: { quote: string }[] };
}

async function failure(call: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  try {
    await call;
  } catch (thrown) {
    assert(thrown instanceof OpenAI.APIError, String(thrown));
    return thrown;
  }
  return assert.fail("no error was thrown");
}

test("the official client completes a chat", async () => {
  const completion = await client.chat.completions.create({
    model: "extractive",
    messages: [
      { role: "system", content: "You are brief." },
      { role: "user", content: [{ type: "text", text: "Hello" }] },
      { role: "assistant", content: "Good day." },
      question,
    ],
    temperature: 0,
    max_completion_tokens: 9000,
    user: "ada",
    seed: 7,
  });
  const [choice] = completion.choices;
  assert.equal(completion.object, "chat.completion");
  assert.match(completion.id, /^chatcmpl-turn-\d+$/);
  assert.deepEqual(
    [choice?.message.role, choice?.message.content, choice?.message.refusal, choice?.finish_reason],
    ["assistant", "At new moon and full moon.", null, "stop"],
  );
  assert.deepEqual(completion.usage, { prompt_tokens: 120, completion_tokens: 8, total_tokens: 128 });
  assert.deepEqual(choice?.message.annotations, [
    {
      type: "url_citation",
      url_citation: { start_index: 0, end_index: 26, title: "Tides", url: "https://example.org/tides" },
    },
  ]);
  const { headwater } = completion as unknown as Extended;
  assert.equal(headwater.citations[0]?.quote, "Spring tides come at new moon and at full moon.");
  const asked = conversations.chatRequest;
  assert.deepEqual(
    [asked?.stateless, asked?.skipMemory, asked?.model, asked?.temperature, asked?.maxOutputTokens],
    [true, true, "extractive", 0, 8192],
  );
  assert.deepEqual(asked?.history, [
    { role: 1, text: "You are brief." },
    { role: 1, text: "Hello" },
    { role: 2, text: "Good day." },
  ]);
});

test("the official client streams, with usage at the end where it asks for it", async () => {
  const stream = await client.chat.completions.create({
    model: "extractive",
    messages: [question],
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = "";
  let finish: string | null | undefined;
  let usage: OpenAI.CompletionUsage | null | undefined;
  let extended: Extended | undefined;
  const ids = new Set<string>();
  for await (const chunk of stream) {
    ids.add(chunk.id);
    text += chunk.choices[0]?.delta.content ?? "";
    finish = chunk.choices[0]?.finish_reason ?? finish;
    if ("headwater" in chunk) extended = chunk as unknown as Extended;
    usage = chunk.usage;
  }
  assert.deepEqual([text, finish, ids.size], ["At new moon and full moon.", "stop", 1]);
  assert.deepEqual(usage, { prompt_tokens: 120, completion_tokens: 8, total_tokens: 128 });
  assert.equal(extended?.headwater.citations.length, 1);
  const helper = client.chat.completions.stream({ model: "extractive", messages: [question] });
  assert.equal(await helper.finalContent(), "At new moon and full moon.");
});

test("a stop sequence ends the answer, and what it cites beyond is left out", async () => {
  const request = { model: "extractive", messages: [question], stop: ["full", "never"] };
  const whole = await client.chat.completions.create(request);
  assert.deepEqual(
    [whole.choices[0]?.message.content, whole.choices[0]?.finish_reason],
    ["At new moon and ", "stop"],
  );
  assert.deepEqual(whole.choices[0]?.message.annotations, []);
  let text = "";
  for await (const chunk of await client.chat.completions.create({ ...request, stream: true }))
    text += chunk.choices[0]?.delta.content ?? "";
  assert.equal(text, "At new moon and ");
});

test("an agent answers as the model agent:NAME, and its thoughts are reasoning", async () => {
  const made = await fixture.post("/api/v1/agents", { name: "librarian" });
  const { id } = (await made.json()) as { id: string };
  const stream = await client.chat.completions.create({
    model: "agent:librarian",
    messages: [{ role: "user", content: "approve" }],
    stream: true,
  });
  let reasoning = "";
  for await (const { choices } of stream) {
    const delta = choices[0]?.delta as { reasoning_content?: string } | undefined;
    reasoning += delta?.reasoning_content ?? "";
    const turn = [...conversations.turns.values()].at(-1);
    if (reasoning !== "") turn?.decide("call-1", true);
  }
  assert.equal(reasoning, "I should count.");
  assert.deepEqual([conversations.chatRequest?.agentId, conversations.chatRequest?.model], [id, ""]);
  const unknown = await failure(
    client.chat.completions.create({ model: "agent:nobody", messages: [question] }),
  );
  assert.deepEqual([unknown.status, unknown.code], [404, "model_not_found"]);
});

test("the official client lists models: the default one first, then agents", async () => {
  const models = await Array.fromAsync(client.models.list());
  assert.deepEqual(
    models.map(({ id, object, owned_by }) => [id, object, owned_by]),
    [
      ["extractive", "model", "extractive"],
      ["agent:librarian", "model", "agent"],
    ],
  );
});

test("the official client embeds, as numbers and as base64", async () => {
  const input = ["one two", "one"];
  const numbers = await client.embeddings.create({ model: "tiny", input, encoding_format: "float" });
  // Without a format the client asks for base64 and decodes it.
  const decoded = await client.embeddings.create({ model: "tiny", input, dimensions: 2 });
  assert.deepEqual(
    numbers.data.map(({ index, embedding }) => [index, embedding]),
    [
      [0, [...Float32Array.of(0.125, Math.sqrt(1 - 0.125 ** 2))]],
      [1, [...Float32Array.of(0.0625, Math.sqrt(1 - 0.0625 ** 2))]],
    ],
  );
  assert.deepEqual(
    decoded.data.map(({ embedding }) => [...embedding]),
    numbers.data.map(({ embedding }) => embedding),
  );
  assert.deepEqual(numbers.usage, { prompt_tokens: 3, total_tokens: 3 });
  const many = Array.from({ length: 300 }, () => "one");
  assert.equal((await client.embeddings.create({ model: "tiny", input: many })).data.length, 300);
  assert.equal((await client.embeddings.create({ model: "tiny", input: "one" })).data.length, 1);
});

test("embeddings that cannot be made are refused", async () => {
  const cases: [Partial<OpenAI.EmbeddingCreateParams>, number, string][] = [
    [{ model: "other" }, 404, "model_not_found"],
    [{ dimensions: 3 }, 400, "HW_DIMENSIONS_WRONG"],
    [{ input: [1, 2, 3] }, 400, "HW_REQUEST_INVALID"],
    [{ input: [[1], [2]] }, 400, "HW_REQUEST_INVALID"],
    [{ input: "" }, 400, "HW_REQUEST_INVALID"],
    [{ input: [] }, 400, "HW_REQUEST_INVALID"],
    [{ input: ["short", "long ".repeat(20)] }, 400, "context_length_exceeded"],
  ];
  for (const [body, status, code] of cases) {
    const refused = await failure(client.embeddings.create({ model: "tiny", input: "one", ...body }));
    assert.deepEqual([refused.status, refused.code], [status, code], JSON.stringify(body));
    assert.equal(refused.type, "invalid_request_error");
  }
});

test("errors are the client's own classes, with a code and a clear message", async () => {
  const complete = (body: object) =>
    failure(
      client.chat.completions.create({
        model: "extractive",
        messages: [question],
        ...body,
      } as OpenAI.ChatCompletionCreateParamsNonStreaming),
    );
  const tool = { type: "function", function: { name: "f", parameters: {} } };
  const image = { type: "image_url", image_url: { url: "data:," } };
  const refused: [object, RegExp][] = [
    [{ tools: [tool] }, /tools of the caller are not taken/],
    [{ n: 2 }, /only one choice/],
    [{ logprobs: true }, /log probabilities/],
    [{ response_format: { type: "json_object" } }, /JSON cannot be promised/],
    [{ messages: [] }, /messages/],
    [{ messages: [{ role: "assistant", content: "Hello" }] }, /no question/],
    [{ messages: [{ role: "user", content: [image] }] }, /image_url/],
    [{ messages: [{ role: "tool", content: "x", tool_call_id: "1" }, question] }, /tools are not/],
    [{ temperature: 3 }, /temperature/],
  ];
  for (const [body, message] of refused) {
    const error = await complete(body);
    assert(error instanceof OpenAI.BadRequestError, JSON.stringify(body));
    assert.equal(error.type, "invalid_request_error");
    assert.match(error.message, message);
  }
  const long = await complete({ messages: [{ role: "user", content: "x".repeat(40_000) }] });
  assert.deepEqual([long.status, long.code], [400, "context_length_exceeded"]);
  const failed = await complete({ messages: [{ role: "user", content: "fail" }] });
  assert(failed instanceof OpenAI.InternalServerError);
  assert.deepEqual([failed.status, failed.code, failed.type], [503, "HW_MODEL_DOWN", "server_error"]);
  const stranger = new OpenAI({ baseURL: guarded.url("/v1"), apiKey: "unknown", maxRetries: 0 });
  const unknown = await failure(
    stranger.chat.completions.create({ model: "extractive", messages: [question] }),
  );
  assert(unknown instanceof OpenAI.AuthenticationError);
  assert.equal(unknown.code, "invalid_api_key");
  const known = new OpenAI({ baseURL: guarded.url("/v1"), apiKey: "key-of-acme", maxRetries: 0 });
  await known.chat.completions.create({ model: "extractive", messages: [question] });
  assert.equal(guarded.doubles.seen.tenant, "acme");
});

test("a turn that fails midway is the stream's error", async () => {
  const stream = await client.chat.completions.create({
    model: "extractive",
    messages: [{ role: "user", content: "fail" }],
    stream: true,
  });
  const error = await failure(Array.fromAsync(stream));
  assert.match(error.message, /The model is down/);
  assert.equal(error.code, "HW_MODEL_DOWN");
});

test("a client that aborts ends the turn", async () => {
  const stream = await client.chat.completions.create({
    model: "extractive",
    messages: [{ role: "user", content: "endless" }],
    stream: true,
  });
  for await (const chunk of stream) if (chunk.choices[0]?.delta.content) stream.controller.abort();
  const turn = [...conversations.turns.values()].at(-1);
  await until("the turn's end", () => turn?.ended === true);
  const leaving = new AbortController();
  const whole = client.chat.completions.create(
    { model: "extractive", messages: [{ role: "user", content: "endless" }] },
    { signal: leaving.signal },
  );
  const before = conversations.turns.size;
  await until("the turn's start", () => conversations.turns.size > before);
  leaving.abort();
  await assert.rejects(whole, OpenAI.APIUserAbortError);
  await until("the turn's end", () => [...conversations.turns.values()].at(-1)?.ended === true);
});
