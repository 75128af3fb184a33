import type { LanguageModel, ModelEvent, ModelMessage, ModelRequest } from "@headwater/language-model";
import type { Attributes, Span, Tracer } from "@opentelemetry/api";
import { SpanKind } from "@opentelemetry/api";
import { streamInSpan } from "../spans.ts";

export interface ModelSpanOptions {
  readonly tracer: Tracer;
  /** The service's own name of the model. */
  readonly requestModel: string;
  /** Undefined: the model runs in this process, or its provider knows where. */
  readonly baseUrl: string | undefined;
  /** True: prompts and answers are written on the spans, for whoever may read the traces. */
  readonly captureContent: boolean;
}

/**
 * One span for each request of a model, all its retries included, as OpenTelemetry's conventions for generative AI
 * have it: https://github.com/open-telemetry/semantic-conventions-genai (docs/gen-ai/gen-ai-spans.md)
 */
export function withModelSpan(model: LanguageModel, options: ModelSpanOptions): LanguageModel {
  const { tracer, requestModel, captureContent } = options;
  const name = `chat ${requestModel}`;
  const kind = model.provider === "extractive" ? SpanKind.INTERNAL : SpanKind.CLIENT;
  const fixed = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": model.provider,
    "gen_ai.request.model": requestModel,
    "gen_ai.request.stream": true,
    "gen_ai.output.type": "text",
    ...serverOf(options.baseUrl),
  };
  return {
    ...model,
    generate: (request: ModelRequest, signal: AbortSignal) => {
      const attributes = {
        ...fixed,
        ...requestAttributes(request),
        ...(captureContent ? inputAttributes(request) : {}),
      };
      return streamInSpan(tracer, name, { kind, attributes }, (span) =>
        span
          ? observe(model.generate(request, signal), span, captureContent)
          : model.generate(request, signal),
      );
    },
  };
}

async function* observe(
  events: AsyncIterable<ModelEvent>,
  span: Span,
  captureContent: boolean,
): AsyncGenerator<ModelEvent> {
  const started = performance.now();
  let begun = false;
  const parts: object[] = [];
  for await (const event of events) {
    if (!begun)
      span.setAttribute("gen_ai.response.time_to_first_chunk", (performance.now() - started) / 1000);
    begun = true;
    if (captureContent) addPart(parts, event);
    if (event.type === "finish") {
      span.setAttributes({
        "gen_ai.usage.input_tokens": event.usage.inputTokens,
        "gen_ai.usage.output_tokens": event.usage.outputTokens,
        "gen_ai.response.finish_reasons": [event.reason],
      });
      if (captureContent) {
        const messages = [{ role: "assistant", parts, finish_reason: event.reason }];
        span.setAttribute("gen_ai.output.messages", JSON.stringify(messages));
      }
    }
    yield event;
  }
}

function serverOf(baseUrl: string | undefined): Attributes {
  if (baseUrl === undefined) return {};
  const { hostname, port, protocol } = new URL(baseUrl);
  const assumed = protocol === "https:" ? 443 : 80;
  return { "server.address": hostname, "server.port": port === "" ? assumed : Number(port) };
}

function requestAttributes({ maxOutputTokens, temperature, topK, stopSequences }: ModelRequest): Attributes {
  return {
    "gen_ai.request.max_tokens": maxOutputTokens,
    ...(temperature === undefined ? {} : { "gen_ai.request.temperature": temperature }),
    ...(topK === undefined ? {} : { "gen_ai.request.top_k": topK }),
    ...(stopSequences === undefined ? {} : { "gen_ai.request.stop_sequences": [...stopSequences] }),
  };
}

function inputAttributes({ messages, tools = [] }: ModelRequest): Attributes {
  const definitions = tools.map((tool) => ({ type: "function", ...tool }));
  return {
    "gen_ai.input.messages": JSON.stringify(messages.map(toMessage)),
    ...(definitions.length === 0 ? {} : { "gen_ai.tool.definitions": JSON.stringify(definitions) }),
  };
}

function toMessage(message: ModelMessage): object {
  const text = { type: "text", content: message.text };
  if (message.role === "tool") {
    const part = { type: "tool_call_response", id: message.callId, response: message.text };
    return { role: "tool", parts: [part] };
  }
  const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
  const parts = [
    ...(message.text === "" ? [] : [text]),
    ...calls.map((call) => ({ type: "tool_call", ...call })),
  ];
  return { role: message.role, parts };
}

/** Adds to the text or the reasoning that is being written, so that a part is not a token. */
function addPart(parts: object[], event: ModelEvent): void {
  if (event.type === "tool-call") parts.push({ type: "tool_call", ...event.call });
  if (event.type !== "text" && event.type !== "thought") return;
  const type = event.type === "text" ? "text" : "reasoning";
  const last = parts.at(-1) as { type: string; content: string } | undefined;
  if (last?.type === type) last.content += event.text;
  else parts.push({ type, content: event.text });
}
