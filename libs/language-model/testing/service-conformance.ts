import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { HeadwaterError } from "@headwater/errors";
import { until } from "@headwater/testing";
import { conformanceRequest, languageModelConformance } from "../conformance.ts";
import type { LanguageModel, ModelEvent, ModelRequest } from "../language-model.ts";
import type { ServiceModelOptions } from "../provider-model.ts";
import type { Exchange, ScriptedModelServer } from "./scripted-model-server.ts";
import { startScriptedModelServer } from "./scripted-model-server.ts";
import type { Wire } from "./wire.ts";

/** An adapter of a model service under test. */
export interface ServiceUnderTest {
  create(server: ScriptedModelServer, options: Omit<ServiceModelOptions, "baseUrl">): LanguageModel;
  wire(): Wire;
  /** What the key went as. */
  keyOf(headers: IncomingHttpHeaders): string | undefined;
  /** An error in the midst of a stream, where the protocol has one. */
  readonly errorEvent?: string;
}

const key = "sk-very-secret";
const question = conformanceRequest.messages[1]?.text ?? "";
const answer = ["The bridge was ", "opened in March", " 1890 [", "2", "]. It stands – naïvely."];
const call = { id: "call_7", name: "calculator", arguments: '{"expression":"1890 + 136"}' };
const usage = { prompt_tokens: 80, completion_tokens: 14 };

/** What each adapter of a service must do, however the service fails; registers node:test cases. */
export function serviceModelConformance(name: string, subject: ServiceUnderTest): void {
  languageModelConformance(name, async () => {
    const own = await startScriptedModelServer();
    own.script = async (exchange) => {
      const limit = exchange.request.body.max_tokens ?? 1000;
      for (const piece of answer) await exchange.text(piece);
      await exchange.finish(limit < 10 ? "length" : "stop", {
        ...usage,
        completion_tokens: Math.min(usage.completion_tokens, limit),
      });
    };
    return {
      model: subject.create(own, { name: "own", model: "m" }),
      close: () => own.close(),
    };
  });

  describe(`${name} is a model service`, () => {
    let server: ScriptedModelServer;
    let model: LanguageModel;
    before(async () => {
      server = await startScriptedModelServer();
      model = subject.create(server, { name: "llama", model: "llama3.1:8b", apiKey: key });
    });
    after(() => server.close());

    const never = new AbortController().signal;
    const run = (change: Partial<ModelRequest> = {}, of = model): Promise<ModelEvent[]> =>
      Array.fromAsync(of.generate({ ...conformanceRequest, ...change }, never));

    async function failure(
      script: (exchange: Exchange) => Promise<void>,
      of = model,
    ): Promise<HeadwaterError> {
      server.script = script;
      return await run({}, of).then(
        () => assert.fail("no error was thrown"),
        (thrown) => {
          assert(thrown instanceof HeadwaterError, String(thrown));
          const shown = `${thrown.message} ${thrown.action} ${thrown.stack} ${String(thrown.cause)}`;
          assert(!shown.includes(key) && !shown.includes(question), shown);
          return thrown;
        },
      );
    }

    test("the key and the model's name go to the service; usage and the end come back", async () => {
      server.script = async (exchange) => {
        await exchange.text("Yes.");
        await exchange.finish("stop", { prompt_tokens: 31, completion_tokens: 2 });
      };
      const events = await run();
      const sent = server.requests.at(-1);
      assert.equal(sent && subject.keyOf(sent.headers), key);
      assert.deepEqual([sent?.body.model, sent?.body.stream], ["llama3.1:8b", true]);
      assert.deepEqual(events.at(-1), {
        ...{ type: "finish", reason: "complete", model: "llama" },
        usage: { inputTokens: 31, outputTokens: 2, cost: 0 },
      });
    });

    test("reasons for the end are told apart", async () => {
      for (const [reason, expected] of [
        ["stop", "complete"],
        ["length", "length"],
      ] as const) {
        server.script = async (exchange) => {
          await exchange.text("So it is.");
          await exchange.finish(reason, usage);
        };
        const finish = (await run()).at(-1);
        assert(finish?.type === "finish" && finish.reason === expected, reason);
      }
    });

    test("thoughts are streamed apart from the text, and calls come whole before the end", async () => {
      server.script = async (exchange) => {
        await exchange.thought("They want ");
        await exchange.thought("a sum.");
        await exchange.text("Let me see.");
        await exchange.toolCall(call);
        await exchange.toolCall({ ...call, id: "call_8", arguments: "{}" });
        await exchange.finish("tool_calls", usage);
      };
      const tools = [{ name: "calculator", description: "Calculates.", parameters: { type: "object" } }];
      const events = await run({ tools });
      const thoughts = events.flatMap((event) => (event.type === "thought" ? [event.text] : []));
      // OpenAI's own chat completions show none.
      if (model.provider !== "openai") assert.deepEqual(thoughts, ["They want ", "a sum."]);
      assert.deepEqual(
        events.filter(({ type }) => type !== "thought").map((event) => ({ ...event, usage: undefined })),
        [
          { type: "text", text: "Let me see.", usage: undefined },
          { type: "tool-call", call, usage: undefined },
          { type: "tool-call", call: { ...call, id: "call_8", arguments: "{}" }, usage: undefined },
          { type: "finish", reason: "tool-calls", model: "llama", usage: undefined },
        ],
      );
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
        [529, {}, 14, "HW_MODEL_UNAVAILABLE", undefined],
      ] as const;
      for (const [code, headers, grpcCode, reason, retryAfterMs] of cases) {
        const sent = server.requests.length;
        const error = await failure(async (exchange) => {
          exchange.fail(code, { ...headers }, `{"error":{"message":"${key} ${question}"}}`);
        });
        assert.deepEqual([error.code, error.reason, error.retryAfterMs], [grpcCode, reason, retryAfterMs]);
        assert.equal(server.requests.length, sent + 1, "it was tried again behind the caller's back");
      }
      const date = await failure(async (exchange) => {
        exchange.fail(429, { "retry-after": new Date(Date.now() + 600_000).toUTCString() });
      });
      assert(date.retryAfterMs !== undefined && date.retryAfterMs > 60_000 && date.retryAfterMs <= 600_000);
    });

    test("a service that is not there is unavailable", async () => {
      const closed = await startScriptedModelServer();
      await closed.close();
      await assert.rejects(run({}, subject.create(closed, { name: "gone", model: "m" })), {
        code: 14,
        reason: "HW_MODEL_UNAVAILABLE",
        message: 'The service of model "gone" could not be reached (ECONNREFUSED).',
      });
    });

    test("a model that dies at each of ten moments gives what it said, no half of a call and no end", async () => {
      const wire = subject.wire();
      const whole = Buffer.from(
        [
          wire.thought("Hm, naïve."),
          ...answer.map((piece) => wire.text(piece)),
          wire.toolCall(call),
          wire.finish("tool_calls", usage),
        ].join(""),
      );
      for (const die of ["destroy", "end"] as const) {
        for (let moment = 0; moment < 10; moment += 1) {
          server.script = async (exchange) => {
            if (moment > 0) await exchange.raw(whole.subarray(0, (whole.length * moment) / 10));
            exchange[die]();
          };
          const seen: ModelEvent[] = [];
          const where = `${die} at ${moment}`;
          await assert.rejects(
            async () => {
              for await (const event of model.generate(conformanceRequest, never)) seen.push(event);
            },
            (thrown) => {
              assert(thrown instanceof HeadwaterError, where);
              assert.match(thrown.reason, /^HW_MODEL_(STREAM_BROKEN|UNAVAILABLE)$/, where);
              assert.equal(thrown.code, 14, where);
              return true;
            },
          );
          const text = seen.flatMap((event) => (event.type === "text" ? [event.text] : [])).join("");
          assert(answer.join("").startsWith(text), `${where}: ${text}`);
          assert(
            seen.every(({ type }) => type === "text" || type === "thought"),
            where,
          );
        }
      }
      server.script = async (exchange) => {
        await exchange.raw(whole);
        exchange.end();
      };
      assert.equal((await run()).at(-1)?.type, "finish");
    });

    test("a stream that is malformed or holds an error is broken; what came before it was streamed", async () => {
      const breaks: Record<string, string> = {
        "bad JSON": 'data: {"choices": [\n\n',
        "wrong shape": 'data: {"choices": 5, "type": 7}\n\n',
        ...(subject.errorEvent === undefined ? {} : { "error event": subject.errorEvent }),
      };
      for (const [what, bytes] of Object.entries(breaks)) {
        server.script = async (exchange) => {
          await exchange.text("The bridge ");
          await exchange.raw(bytes);
        };
        const seen: string[] = [];
        await assert.rejects(
          async () => {
            for await (const event of model.generate(conformanceRequest, never)) {
              if (event.type === "text") seen.push(event.text);
            }
          },
          { code: 14, reason: "HW_MODEL_STREAM_BROKEN" },
          what,
        );
        assert.deepEqual(seen, ["The bridge "], what);
      }
      const page = await failure(async (exchange) => {
        await exchange.raw("<html>a proxy's page</html>");
        exchange.destroy();
      });
      assert.match(page.reason, /^HW_MODEL_(STREAM_BROKEN|UNAVAILABLE)$/);
    });

    test("a model that is silent before or within its answer times out, and its request ends", async () => {
      const impatient = subject.create(server, {
        ...{ name: "llama", model: "m", apiKey: key },
        ...{ firstTokenTimeoutMs: 400, nextTokenTimeoutMs: 300 },
      });
      let left = 0;
      const stall = async (exchange: Exchange) => {
        await once(exchange.left, "abort");
        left += 1;
      };
      const first = await failure(stall, impatient);
      assert.deepEqual([first.code, first.reason], [14, "HW_MODEL_TIMEOUT"]);
      assert.equal(first.message, 'Model "llama" sent no first token within 400 ms.');
      const patient = subject.create(server, {
        ...{ name: "llama", model: "m", apiKey: key, nextTokenTimeoutMs: 300 },
      });
      const next = await failure(async (exchange) => {
        await exchange.text("The bridge ");
        await stall(exchange);
      }, patient);
      assert.equal(next.message, 'Model "llama" sent no next token within 300 ms.');
      await until("both requests ended", () => left === 2);
    });

    test("a reader who pauses is not a model that is silent", async () => {
      server.script = async (exchange) => {
        for (const piece of answer) await exchange.text(piece);
        await exchange.finish();
      };
      const patient = subject.create(server, { name: "llama", model: "m", nextTokenTimeoutMs: 300 });
      const events = patient.generate(conformanceRequest, never)[Symbol.asyncIterator]();
      await events.next();
      await delay(500);
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
      const events = model.generate(conformanceRequest, never)[Symbol.asyncIterator]();
      for (let count = 0; count < 3; count += 1) await events.next();
      const taken = await settled(() => exchange?.bytesWritten ?? 0);
      // What lies in between is the kernel's socket buffers, which loopback lets grow to some megabytes.
      assert(taken < 16 * 1024 * 1024, `${taken} bytes were taken for a reader of 3 pieces`);

      for (let count = 0; count < 1500; count += 1) await events.next();
      const later = await settled(() => exchange?.bytesWritten ?? 0);
      assert(later >= 1500 * piece.length && later < taken + 1700 * piece.length, `${later} after ${taken}`);

      assert.equal(left, false);
      await events.return?.();
      await until("the request ended", () => left);
    });
  });
}

/** The value once it has not changed for 100 ms. */
async function settled(read: () => number): Promise<number> {
  let before = -1;
  for (let quiet = 0; quiet < 10; ) {
    await delay(10);
    const now = read();
    quiet = now === before ? quiet + 1 : 0;
    before = now;
  }
  return before;
}
