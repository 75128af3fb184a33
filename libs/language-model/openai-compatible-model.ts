import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { LanguageModelV4, LanguageModelV4Prompt, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { estimateTokens } from "@headwater/text";
import type {
  FinishReason,
  LanguageModel,
  ModelEvent,
  ModelMessage,
  ModelRequest,
} from "./language-model.ts";
import { modelTimeout, streamBroken, toModelError } from "./model-errors.ts";

export interface OpenAiCompatibleOptions {
  /** For callers, such as "llama". */
  readonly name: string;
  /** Ends like https://host/v1; "/chat/completions" is appended. */
  readonly baseUrl: string;
  /** Sent as bearer token; unset: none is sent. */
  readonly apiKey?: string;
  /** The service's own name of the model. */
  readonly model: string;
  /** Longest prompt and answer together, in tokens, 8,192 by default. */
  readonly contextTokens?: number;
  /** Milliseconds from the request to the first token, 60,000 by default. Models that are loaded on demand need it. */
  readonly firstTokenTimeoutMs?: number;
  /** Milliseconds that a next token may take once it was asked for, 20,000 by default. */
  readonly nextTokenTimeoutMs?: number;
}

type Finish = Extract<LanguageModelV4StreamPart, { type: "finish" }>;

/**
 * Adapter: any service that speaks the OpenAI chat completions protocol, such as vLLM, Ollama or llama.cpp. Uses the
 * provider of the `ai` library directly: its stream is pulled from the socket, where `streamText` adds queues, and
 * nothing is tried twice behind the caller's back.
 */
export function createOpenAiCompatibleModel(options: OpenAiCompatibleOptions): LanguageModel {
  const provider = createOpenAICompatible({
    name: "openai-compatible",
    baseURL: options.baseUrl,
    includeUsage: true,
    ...(options.apiKey === undefined ? {} : { apiKey: options.apiKey }),
  });
  const model = provider.chatModel(options.model);
  return {
    name: options.name,
    provider: "openai-compatible",
    toolCalling: "none",
    contextTokens: options.contextTokens ?? 8192,
    generate: (request, signal) => generate(model, options, request, signal),
    close: async () => {},
  };
}

async function* generate(
  model: LanguageModelV4,
  options: OpenAiCompatibleOptions,
  request: ModelRequest,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent> {
  signal.throwIfAborted();
  const { name, firstTokenTimeoutMs = 60_000, nextTokenTimeoutMs = 20_000 } = options;
  const ending = new AbortController();
  let timer = setTimeout(
    () => ending.abort(modelTimeout(name, "first", firstTokenTimeoutMs)),
    firstTokenTimeoutMs,
  );
  let written = "";
  let started = false;
  try {
    const { stream } = await model.doStream({
      prompt: toPrompt(request.messages),
      maxOutputTokens: request.maxOutputTokens,
      abortSignal: AbortSignal.any([signal, ending.signal]),
      ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
    });
    const reader = stream.getReader();
    while (true) {
      if (started) {
        timer = setTimeout(
          () => ending.abort(modelTimeout(name, "next", nextTokenTimeoutMs)),
          nextTokenTimeoutMs,
        );
      }
      const { done, value } = await reader.read();
      if (done) throw streamBroken(name);
      // Reasoning is not part of the answer, but it shows that the model is at work.
      if (value.type === "text-delta" || value.type === "reasoning-delta") started = true;
      if (started) clearTimeout(timer);
      if (value.type === "error") throw streamBroken(name);
      if (value.type === "finish") {
        yield finishEvent(value, request, written, name);
        return;
      }
      if (value.type === "text-delta" && value.delta !== "") {
        written += value.delta;
        yield { type: "text", text: value.delta };
      }
    }
  } catch (thrown) {
    signal.throwIfAborted();
    if (ending.signal.aborted) throw ending.signal.reason;
    throw toModelError(thrown, name);
  } finally {
    clearTimeout(timer);
    // Ends the HTTP request where the caller left early; after the end of the stream it does nothing.
    ending.abort();
  }
}

const finishReasons: Readonly<Partial<Record<Finish["finishReason"]["unified"], FinishReason>>> = {
  length: "length",
  "content-filter": "refused",
};

/** Services that report no usage are estimated for. */
function finishEvent(
  { finishReason, usage }: Finish,
  request: ModelRequest,
  written: string,
  model: string,
): ModelEvent {
  const read = request.messages.map(({ text }) => text).join("\n");
  return {
    type: "finish",
    reason: finishReasons[finishReason.unified] ?? "complete",
    usage: {
      inputTokens: usage.inputTokens.total ?? estimateTokens(read),
      outputTokens: usage.outputTokens.total ?? estimateTokens(written),
      cost: 0,
    },
    model,
  };
}

function toPrompt(messages: readonly ModelMessage[]): LanguageModelV4Prompt {
  return messages.map(({ role, text }) =>
    role === "system" ? { role, content: text } : { role: "user", content: [{ type: "text", text }] },
  );
}
