import type {
  LanguageModelV4CallOptions,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
} from "@ai-sdk/provider";
import type { ModelMessage, ModelRequest } from "./language-model.ts";

/** A request as the providers of the `ai` library take it. */
export function toCallOptions(request: ModelRequest): LanguageModelV4CallOptions {
  const { tools = [], temperature, topK, stopSequences = [] } = request;
  return {
    prompt: toPrompt(request.messages),
    maxOutputTokens: request.maxOutputTokens,
    ...(temperature === undefined ? {} : { temperature }),
    ...(topK === undefined ? {} : { topK }),
    ...(stopSequences.length === 0 ? {} : { stopSequences: [...stopSequences] }),
    ...(tools.length === 0
      ? {}
      : {
          tools: tools.map(({ name, description, parameters }) => ({
            ...{ type: "function" as const, name, description },
            inputSchema: { ...parameters },
          })),
        }),
  };
}

/**
 * Rules that come first are one system message, because many chat templates read but one. A system message further
 * on becomes the user's: Anthropic and most templates refuse it there.
 */
function toPrompt(messages: readonly ModelMessage[]): LanguageModelV4Prompt {
  const others = messages.findIndex(({ role }) => role !== "system");
  const rules = others < 0 ? messages : messages.slice(0, others);
  const system = rules.map(({ text }) => text).join("\n\n");
  return [
    ...(system === "" ? [] : [{ role: "system" as const, content: system }]),
    ...messages.slice(rules.length).map(toProviderMessage),
  ];
}

function toProviderMessage(message: ModelMessage): LanguageModelV4Message {
  switch (message.role) {
    case "system":
    case "user":
      return { role: "user", content: [{ type: "text", text: message.text }] };
    case "assistant":
      return {
        role: "assistant",
        content: [
          // Anthropic refuses an empty text.
          ...(message.text === "" ? [] : [{ type: "text" as const, text: message.text }]),
          ...(message.toolCalls ?? []).map(({ id, name, arguments: input }) => ({
            ...{ type: "tool-call" as const, toolCallId: id, toolName: name },
            input: toInput(input),
          })),
        ],
      };
    case "tool":
      return {
        role: "tool",
        content: [
          {
            ...{ type: "tool-result", toolCallId: message.callId, toolName: message.name },
            output: { type: message.failed ? "error-text" : "text", value: message.text },
          },
        ],
      };
  }
}

/** What a model wrote as arguments comes back as an object, whatever it was: services take nothing else. */
function toInput(written: string): unknown {
  try {
    const value: unknown = JSON.parse(written === "" ? "{}" : written);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // The model was told of it by the result of the call; here it only has to be shown what it wrote.
  }
  return { malformed: written };
}
