import type { LanguageModelV4, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { estimateTokens } from "@headwater/text";
import type {
  FinishReason,
  LanguageModel,
  ModelEvent,
  ModelRequest,
  ModelUsage,
  ToolCalling,
} from "./language-model.ts";
import { streamBroken, toModelError } from "./model-errors.ts";
import { toCallOptions } from "./provider-prompt.ts";
import { createTokenTimer } from "./token-timer.ts";

/** A model of a service outside. */
export interface ServiceModelOptions {
  /** For callers, such as "llama". */
  readonly name: string;
  /** The service's own name of the model. */
  readonly model: string;
  /** Ends like https://host/v1, without a slash; unset: the provider's own service. */
  readonly baseUrl?: string;
  /** Unset: none is sent. */
  readonly apiKey?: string;
  /** Longest prompt and answer together, in tokens, 8,192 by default. */
  readonly contextTokens?: number;
  /** "native" by default. */
  readonly toolCalling?: ToolCalling;
  /** Milliseconds from the request to the first token, 60,000 by default. Models that are loaded on demand need it. */
  readonly firstTokenTimeoutMs?: number;
  /** Milliseconds that a next token may take once it was asked for, 20,000 by default. */
  readonly nextTokenTimeoutMs?: number;
}

type ToolCallEvent = Extract<ModelEvent, { type: "tool-call" }>;
type Part<Type> = Extract<LanguageModelV4StreamPart, { type: Type }>;
type ProviderOptions = NonNullable<Parameters<LanguageModelV4["doStream"]>[0]["providerOptions"]>;

/**
 * A model behind a provider of the `ai` library. Its stream is pulled from the socket, where `streamText` adds queues,
 * and nothing is tried twice behind the caller's back.
 *
 * @param further what a provider has to be told beside the request
 */
export function createProviderModel(
  provider: string,
  model: LanguageModelV4,
  options: ServiceModelOptions,
  further: (request: ModelRequest) => ProviderOptions | undefined = () => undefined,
): LanguageModel {
  return {
    name: options.name,
    provider,
    toolCalling: options.toolCalling ?? "native",
    contextTokens: options.contextTokens ?? 8192,
    generate: (request, signal) => generate(model, options, request, further(request), signal),
    close: async () => {},
  };
}

async function* generate(
  model: LanguageModelV4,
  options: ServiceModelOptions,
  request: ModelRequest,
  providerOptions: ProviderOptions | undefined,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent> {
  signal.throwIfAborted();
  const { name, firstTokenTimeoutMs = 60_000, nextTokenTimeoutMs = 20_000 } = options;
  const timer = createTokenTimer(name, firstTokenTimeoutMs, nextTokenTimeoutMs);
  // Of all that is streamed, for services that do not count it.
  let written = "";
  const calls: ToolCallEvent[] = [];
  try {
    const { stream } = await model.doStream({
      ...toCallOptions(request),
      abortSignal: AbortSignal.any([signal, timer.signal]),
      ...(providerOptions === undefined ? {} : { providerOptions }),
    });
    const reader = stream.getReader();
    while (true) {
      timer.waiting();
      const { done, value } = await reader.read();
      if (done || value.type === "error") throw streamBroken(name);
      if (showsWork(value)) timer.tokenCame();
      if (value.type === "finish") {
        const finish = toFinish(value, request, written, calls.length > 0, name);
        // Not before: providers also give the call that was being written when the connection was cut.
        yield* calls;
        yield finish;
        return;
      }
      const event = toEvent(value);
      if (event === undefined) continue;
      written += event.type === "tool-call" ? event.call.arguments : event.text;
      if (event.type === "tool-call") calls.push(event);
      else yield event;
    }
  } catch (thrown) {
    signal.throwIfAborted();
    if (timer.signal.aborted) throw timer.signal.reason;
    throw toModelError(thrown, name);
  } finally {
    // Ends the HTTP request where the caller left early; after the end of the stream it does nothing.
    timer.end();
  }
}

/** Reasoning and half-written calls are no part of the answer yet, but the model is at work. */
function showsWork({ type }: LanguageModelV4StreamPart): boolean {
  return type === "text-delta" || type === "reasoning-delta" || type.startsWith("tool-");
}

function toEvent(part: LanguageModelV4StreamPart) {
  switch (part.type) {
    case "text-delta":
      return part.delta === "" ? undefined : { type: "text" as const, text: part.delta };
    case "reasoning-delta":
      return part.delta === "" ? undefined : { type: "thought" as const, text: part.delta };
    case "tool-call": {
      const call = { id: part.toolCallId, name: part.toolName, arguments: part.input };
      return { type: "tool-call" as const, call };
    }
    default:
      return undefined;
  }
}

const finishReasons: Readonly<Partial<Record<Part<"finish">["finishReason"]["unified"], FinishReason>>> = {
  length: "length",
  "content-filter": "refused",
  "tool-calls": "tool-calls",
};

/**
 * @param called some local services say "stop" after calls
 * @throws HeadwaterError where the service did not say why it stopped: then the connection was cut
 */
function toFinish(
  { finishReason, usage }: Part<"finish">,
  request: ModelRequest,
  written: string,
  called: boolean,
  model: string,
): ModelEvent {
  if (finishReason.raw === undefined || finishReason.unified === "error") throw streamBroken(model);
  const reason = finishReasons[finishReason.unified] ?? (called ? "tool-calls" : "complete");
  return { type: "finish", reason, usage: toUsage(usage, request, written), model };
}

function toUsage(
  { inputTokens, outputTokens }: Part<"finish">["usage"],
  request: ModelRequest,
  written: string,
): ModelUsage {
  const read = () => request.messages.map(({ text }) => text).join("\n");
  return {
    inputTokens: inputTokens.total ?? estimateTokens(read()),
    outputTokens: outputTokens.total ?? estimateTokens(written),
    cost: 0,
  };
}
