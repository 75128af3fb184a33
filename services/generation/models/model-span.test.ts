import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadwaterError, status } from "@headwater/errors";
import type { ModelRequest } from "@headwater/language-model";
import type { AttributeValue, Span, SpanOptions, Tracer } from "@opentelemetry/api";
import { trace } from "@opentelemetry/api";
import type { ModelDouble } from "../testing/model-double.ts";
import { createModelDouble, failing, plainRequest } from "../testing/model-double.ts";
import { withModelSpan } from "./model-span.ts";

const never = new AbortController().signal;

/** A tracer that keeps what is written on its spans. */
function recordingTracer() {
  const spans: { name: string; attributes: Record<string, AttributeValue | undefined>; ended: boolean }[] =
    [];
  const silent = trace.getTracer("silent");
  const tracer: Pick<Tracer, "startSpan"> = {
    startSpan(name: string, options: SpanOptions = {}): Span {
      const record = { name, attributes: { ...options.attributes }, ended: false };
      spans.push(record);
      const span = silent.startSpan(name);
      return Object.assign(span, {
        // Valid: one that goes nowhere is written nothing on.
        spanContext: () => ({ traceId: "a".repeat(32), spanId: "b".repeat(16), traceFlags: 1 }),
        setAttribute: (key: string, value: AttributeValue) => {
          record.attributes[key] = value;
          return span;
        },
        setAttributes: (values: Record<string, AttributeValue>) => {
          Object.assign(record.attributes, values);
          return span;
        },
        end: () => {
          record.ended = true;
        },
      });
    },
  };
  return { tracer: tracer as Tracer, spans };
}

async function spanOf(double: ModelDouble, request: ModelRequest, captureContent: boolean) {
  const { tracer, spans } = recordingTracer();
  const model = withModelSpan(double, {
    tracer,
    requestModel: "gpt-x",
    baseUrl: "https://h/v1",
    captureContent,
  });
  await Array.fromAsync(model.generate(request, never)).catch(() => {});
  const [span] = spans;
  assert(span && spans.length === 1 && span.ended && span.name === "chat gpt-x");
  return span.attributes;
}

const request: ModelRequest = {
  ...plainRequest,
  topK: 40,
  stopSequences: ["###"],
  messages: [
    { role: "system", text: "Be brief." },
    { role: "user", text: "What time is it?" },
    { role: "assistant", text: "", toolCalls: [{ id: "1", name: "time", arguments: "{}" }] },
    { role: "tool", callId: "1", name: "time", text: "Noon.", failed: false },
  ],
  tools: [{ name: "time", description: "Tells the time.", parameters: { type: "object" } }],
};

function thinking(): ModelDouble {
  const model = createModelDouble("m");
  model.script = async function* () {
    yield { type: "thought", text: "Hm, " };
    yield { type: "thought", text: "noon." };
    yield { type: "text", text: "It is " };
    yield { type: "text", text: "noon." };
    yield { type: "tool-call", call: { id: "2", name: "time", arguments: '{"zone":"UTC"}' } };
    const usage = { inputTokens: 9, outputTokens: 3, cost: 0 };
    yield { type: "finish", reason: "tool-calls", usage, model: "m" };
  };
  return model;
}

test("what was asked for stands on the span, and content only where a setting wants it", async () => {
  const { "gen_ai.response.time_to_first_chunk": first, ...plain } = await spanOf(thinking(), request, false);
  assert.equal(typeof first, "number");
  assert.deepEqual(plain, {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai-compatible",
    "gen_ai.request.model": "gpt-x",
    "gen_ai.request.stream": true,
    "gen_ai.output.type": "text",
    "server.address": "h",
    "server.port": 443,
    "gen_ai.request.max_tokens": 100,
    "gen_ai.request.top_k": 40,
    "gen_ai.request.stop_sequences": ["###"],
    "gen_ai.usage.input_tokens": 9,
    "gen_ai.usage.output_tokens": 3,
    "gen_ai.response.finish_reasons": ["tool-calls"],
  });
  const captured = await spanOf(thinking(), request, true);
  const parsed = (name: string) => JSON.parse(String(captured[name]));
  assert.deepEqual(parsed("gen_ai.input.messages"), [
    { role: "system", parts: [{ type: "text", content: "Be brief." }] },
    { role: "user", parts: [{ type: "text", content: "What time is it?" }] },
    { role: "assistant", parts: [{ type: "tool_call", id: "1", name: "time", arguments: "{}" }] },
    { role: "tool", parts: [{ type: "tool_call_response", id: "1", response: "Noon." }] },
  ]);
  assert.deepEqual(parsed("gen_ai.output.messages"), [
    {
      role: "assistant",
      finish_reason: "tool-calls",
      parts: [
        { type: "reasoning", content: "Hm, noon." },
        { type: "text", content: "It is noon." },
        { type: "tool_call", id: "2", name: "time", arguments: '{"zone":"UTC"}' },
      ],
    },
  ]);
  assert.equal(parsed("gen_ai.tool.definitions")[0].name, "time");
});

test("a model that fails leaves the kind of its error on the span", async () => {
  const model = createModelDouble("m");
  const down = { code: status.UNAVAILABLE, reason: "HW_MODEL_UNAVAILABLE", message: "Down." } as const;
  model.script = () => failing(new HeadwaterError(down));
  assert.equal((await spanOf(model, request, false))["error.type"], "UNAVAILABLE");
});
