import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { HeadwaterError } from "@headwater/errors";
import { conformanceRequest, languageModelConformance } from "./conformance.ts";
import type { LanguageModel, ModelEvent } from "./index.ts";
import { createOpenAiCompatibleModel } from "./index.ts";
import type { Exchange, ScriptedModelServer } from "./testing/scripted-model-server.ts";
import { startScriptedModelServer } from "./testing/scripted-model-server.ts";

const key = "sk-very-secret";
const question = conformanceRequest.messages[1]?.text ?? "";
const answer = ["The bridge was ", "opened in March", " 1890 [", "2", "]. It stands."];

let server: ScriptedModelServer;
let model: LanguageModel;
before(async () => {
  server = await startScriptedModelServer();
  model = createOpenAiCompatibleModel({
    name: "llama",
    baseUrl: server.baseUrl,
    apiKey: key,
    model: "llama3.1:8b",
    firstTokenTimeoutMs: 400,
    nextTokenTimeoutMs: 300,
  });
});
after(async () => {
  await model.close();
  await server.close();
});

languageModelConformance("an OpenAI-compatible service", async () => {
  const own = await startScriptedModelServer();
  own.script = async (exchange) => {
    const limit = exchange.request.body.max_tokens ?? 1000;
    for (const piece of answer) await exchange.text(piece);
    await exchange.finish(limit < 10 ? "length" : "stop", {
      prompt_tokens: 80,
      completion_tokens: Math.min(14, limit),
    });
  };
  return {
    model: createOpenAiCompatibleModel({ name: "own", baseUrl: own.baseUrl, model: "m" }),
    close: () => own.close(),
  };
});

const run = (signal = new AbortController().signal): Promise<ModelEvent[]> =>
  Array.fromAsync(model.generate(conformanceRequest, signal));

async function failure(script: (exchange: Exchange) => Promise<void>): Promise<HeadwaterError> {
  server.script = script;
  return await run().then(
    () => assert.fail("no error was thrown"),
    (thrown) => {
      assert(thrown instanceof HeadwaterError, String(thrown));
      const shown = `${thrown.message} ${thrown.action} ${thrown.stack} ${String(thrown.cause)}`;
      assert(!shown.includes(key) && !shown.includes(question), shown);
      return thrown;
    },
  );
}

test("rules go as system message, the prompt as the user's, the key as bearer token", async () => {
  server.script = async (exchange) => {
    await exchange.text("Yes.");
    await exchange.finish("stop", { prompt_tokens: 31, completion_tokens: 2 });
  };
  const events = await Array.fromAsync(
    model.generate({ ...conformanceRequest, temperature: 0.25 }, new AbortController().signal),
  );
  const sent = server.requests.at(-1);
  assert.equal(sent?.headers.authorization, `Bearer ${key}`);
  assert.deepEqual(
    [sent.body.model, sent.body.stream, sent.body.max_tokens, sent.body.temperature],
    ["llama3.1:8b", true, 200, 0.25],
  );
  assert.deepEqual(sent.body.messages, [
    { role: "system", content: conformanceRequest.messages[0]?.text },
    { role: "user", content: question },
  ]);
  assert.deepEqual(events.at(-1), {
    type: "finish",
    reason: "complete",
    usage: { inputTokens: 31, outputTokens: 2, cost: 0 },
    model: "llama",
  });
});

test("finish reasons are told apart, and missing usage is estimated", async () => {
  for (const [reason, expected] of [
    ["stop", "complete"],
    ["length", "length"],
    ["content_filter", "refused"],
  ] as const) {
    server.script = async (exchange) => {
      await exchange.text("Eight tokens are what this text has.");
      await exchange.finish(reason);
    };
    const finish = (await run()).at(-1);
    assert(finish?.type === "finish");
    assert.equal(finish.reason, expected);
    assert.equal(finish.usage.outputTokens, 9);
    assert(finish.usage.inputTokens > 20);
  }
});

test("refusals of the service are told apart", async () => {
  const cases = [
    [401, {}, 9, "HW_MODEL_KEY_REFUSED", undefined],
    [403, {}, 9, "HW_MODEL_KEY_REFUSED", undefined],
    [404, {}, 9, "HW_MODEL_NOT_FOUND", undefined],
    [400, {}, 9, "HW_MODEL_REQUEST_REFUSED", undefined],
    [429, { "retry-after": "2.5" }, 8, "HW_MODEL_BUSY", 2500],
    [429, {}, 8, "HW_MODEL_BUSY", undefined],
    [500, {}, 14, "HW_MODEL_UNAVAILABLE", undefined],
    [503, {}, 14, "HW_MODEL_UNAVAILABLE", undefined],
  ] as const;
  for (const [code, headers, grpcCode, reason, retryAfterMs] of cases) {
    const before = server.requests.length;
    const error = await failure(async (exchange) => {
      exchange.fail(code, { ...headers }, `{"error":{"message":"${key} ${question}"}}`);
    });
    assert.deepEqual([error.code, error.reason, error.retryAfterMs], [grpcCode, reason, retryAfterMs]);
    assert.equal(
      server.requests.length,
      before + 1,
      "a failed call was tried again behind the caller's back",
    );
  }
  const date = await failure(async (exchange) => {
    exchange.fail(429, { "retry-after": new Date(Date.now() + 10_000).toUTCString() });
  });
  assert(date.retryAfterMs !== undefined && date.retryAfterMs > 8000 && date.retryAfterMs <= 10_000);
});

test("a service that is not there is unavailable", async () => {
  const closed = await startScriptedModelServer();
  await closed.close();
  const nowhere = createOpenAiCompatibleModel({ name: "gone", baseUrl: closed.baseUrl, model: "m" });
  await assert.rejects(Array.fromAsync(nowhere.generate(conformanceRequest, new AbortController().signal)), {
    code: 14,
    reason: "HW_MODEL_UNAVAILABLE",
    message: 'The service of model "gone" could not be reached (ECONNREFUSED).',
  });
});

test("a stream that breaks off, is malformed or holds an error is broken; what came before it was streamed", async () => {
  const breaks: Record<string, (exchange: Exchange) => Promise<void>> = {
    "cut connection": async (exchange) => exchange.destroy(),
    "no finish reason": async (exchange) => {
      await exchange.raw("data: [DONE]\n\n");
      exchange.destroy();
    },
    "bad JSON": (exchange) => exchange.raw('data: {"choices": [\n\n'),
    "wrong shape": (exchange) => exchange.raw('data: {"choices": 5}\n\n'),
    "error event": (exchange) => exchange.raw(`data: {"error":{"message":"${key}"}}\n\n`),
  };
  for (const [name, breakOff] of Object.entries(breaks)) {
    server.script = async (exchange) => {
      await exchange.text("The bridge ");
      await breakOff(exchange);
    };
    const seen: string[] = [];
    await assert.rejects(
      async () => {
        for await (const event of model.generate(conformanceRequest, new AbortController().signal)) {
          if (event.type === "text") seen.push(event.text);
        }
      },
      { code: 14, reason: "HW_MODEL_STREAM_BROKEN" },
      name,
    );
    assert.deepEqual(seen, ["The bridge "], name);
  }
  const page = await failure(async (exchange) =>
    exchange.raw("<html>a proxy's page</html>").then(exchange.destroy),
  );
  assert.equal(page.reason, "HW_MODEL_STREAM_BROKEN");
});

test("a model that is silent before or within its answer times out, and its request ends", async () => {
  let left = 0;
  const stall = async (exchange: Exchange) => {
    await once(exchange.left, "abort");
    left += 1;
  };
  const first = await failure(stall);
  assert.deepEqual([first.code, first.reason], [14, "HW_MODEL_TIMEOUT"]);
  assert.equal(first.message, 'Model "llama" sent no first token within 400 ms.');
  const next = await failure(async (exchange) => {
    await exchange.text("The bridge ");
    await stall(exchange);
  });
  assert.equal(next.message, 'Model "llama" sent no next token within 300 ms.');
  await until(() => left === 2);
});

test("a reader who pauses is not a model that is silent", async () => {
  server.script = async (exchange) => {
    for (const piece of answer) await exchange.text(piece);
    await exchange.finish();
  };
  const events = model.generate(conformanceRequest, new AbortController().signal)[Symbol.asyncIterator]();
  await events.next();
  await new Promise((done) => setTimeout(done, 500));
  let last: ModelEvent | undefined;
  for (let step = await events.next(); !step.done; step = await events.next()) last = step.value;
  assert.equal(last?.type, "finish");
});

test("a slow reader slows the model, and one who leaves ends its request", async () => {
  const piece = "x".repeat(16 * 1024);
  let exchange: Exchange | undefined;
  let left = false;
  server.script = async (current) => {
    exchange = current;
    current.left.addEventListener("abort", () => {
      left = true;
    });
    // 256 MB if nobody held it up.
    for (let count = 0; count < 16_384 && !left; count += 1) await current.text(piece);
  };
  const events = model.generate(conformanceRequest, new AbortController().signal)[Symbol.asyncIterator]();
  for (let count = 0; count < 3; count += 1) await events.next();
  const taken = await settled(() => exchange?.bytesWritten ?? 0);
  // What lies in between is the kernel's socket buffers, which loopback lets grow to some megabytes.
  assert(taken < 16 * 1024 * 1024, `${taken} bytes were taken for a reader of 3 pieces`);

  for (let count = 0; count < 1500; count += 1) await events.next();
  const later = await settled(() => exchange?.bytesWritten ?? 0);
  assert(later >= 1500 * piece.length && later < taken + 1700 * piece.length, `${later} after ${taken}`);

  assert.equal(left, false);
  await events.return?.();
  await until(() => left);
});

/** The value once it has not changed for 100 ms. */
async function settled(read: () => number): Promise<number> {
  let before = -1;
  for (let quiet = 0; quiet < 10; ) {
    await new Promise((done) => setTimeout(done, 10));
    const now = read();
    quiet = now === before ? quiet + 1 : 0;
    before = now;
  }
  return before;
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries += 1) {
    assert(tries < 500, "the condition was not met within 5 s");
    await new Promise((done) => setTimeout(done, 10));
  }
}
