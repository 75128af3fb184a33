import type { ChatEvent, ChatOptions, CitationEvent, TurnEnd } from "@headwater/client";
import { invalidArgument } from "@headwater/errors";
import { citationJson } from "./schemas/answer.ts";
import type { ChatCompletion, ChatCompletionChunk, ChatCompletionRequest } from "./schemas/openai-chat.ts";
import { defined, filterOptions } from "./schemas/search.ts";
import { StopSequences } from "./stop-sequences.ts";
import { turnFailure } from "./whole-turn.ts";

/** Bounds of the contract: code units of a message, messages of a history, tokens of an answer. */
const maxMessage = 32_768;
const maxHistory = 256;
const maxOutputTokens = 8192;

/** A request of OpenAI's API as a turn that keeps nothing. */
export interface Asked {
  readonly message: string;
  readonly options: ChatOptions;
}

/** @throws HeadwaterError INVALID_ARGUMENT where the messages are no conversation in text that ends with a question */
export function askedBy(request: ChatCompletionRequest): Asked {
  const messages = request.messages.map(({ role, content }) => ({ role, text: textOf(content) }));
  const last = messages.at(-1);
  if (last?.role !== "user" || last.text.trim() === "")
    throw invalidArgument("HW_MESSAGES_INVALID", "The last message is no question of the role user.");
  if (last.text.length > maxMessage)
    throw invalidArgument(
      "HW_INPUT_TOO_LONG",
      `The last message has ${last.text.length} code units, more than ${maxMessage}.`,
      "Push long texts as documents, and ask about them.",
    );
  if (messages.some(({ role }) => role === "tool" || role === "function"))
    throw invalidArgument("HW_MESSAGES_INVALID", "Results of tools are not taken, as tools are not.");
  const { headwater = {}, temperature, max_tokens, max_completion_tokens } = request;
  const tokens = max_completion_tokens ?? max_tokens ?? undefined;
  return {
    message: last.text,
    options: {
      stateless: true,
      // What a front-end says to itself, such as "make a title of this", teaches nothing about anybody.
      skipMemory: true,
      // Instructions of the front-end stand at the head of the history, where they rank below those of Headwater.
      history: messages
        .slice(0, -1)
        .filter(({ text }) => text !== "")
        .slice(-maxHistory)
        .map(({ role, text }) => ({
          role: role === "assistant" ? "assistant" : "user",
          text: text.slice(0, maxMessage).toWellFormed(),
        })),
      ...defined({
        temperature: temperature ?? undefined,
        maxOutputTokens: tokens === undefined ? undefined : Math.min(tokens, maxOutputTokens),
        maxPassages: headwater.max_passages,
        prompt: headwater.prompt,
        filter: headwater.filter && filterOptions(headwater.filter),
      }),
    },
  };
}

function textOf(content: ChatCompletionRequest["messages"][number]["content"]): string {
  if (typeof content === "string") return content;
  return (content ?? [])
    .map(({ type, text }) => {
      if (type === "text" && text !== undefined) return text;
      throw invalidArgument(
        "HW_MESSAGES_INVALID",
        `A message has a part of the type ${type.slice(0, 64)}; only text is taken.`,
        "Push files as documents, and ask about them.",
      );
    })
    .join("\n");
}

/** The chunks of an answer as it is written. @throws HeadwaterError also where the turn fails */
export async function* completionChunks(
  events: AsyncIterable<ChatEvent>,
  request: ChatCompletionRequest,
): AsyncGenerator<ChatCompletionChunk> {
  const stop = new StopSequences([request.stop ?? []].flat());
  const citations: CitationEvent[] = [];
  const withUsage = request.stream_options?.include_usage === true;
  const head = {
    id: "",
    object: "chat.completion.chunk" as const,
    created: Math.floor(Date.now() / 1000),
    model: request.model,
    // With usage asked for, every chunk has the field, as OpenAI's have.
    ...(withUsage ? { usage: null } : {}),
  };
  type Choice = ChatCompletionChunk["choices"][number];
  const chunk = (delta: Choice["delta"], finish: Choice["finish_reason"] = null): ChatCompletionChunk => ({
    ...head,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
  });
  let length = 0;
  let end: TurnEnd | undefined;
  for await (const event of events) {
    if (event.type === "started") {
      head.id = `chatcmpl-${event.turnId}`;
      yield chunk({ role: "assistant", content: "" });
    } else if (event.type === "thought") {
      yield chunk({ reasoning_content: event.text });
    } else if (event.type === "citation") {
      citations.push(event);
    } else if (event.type === "end") {
      end = event;
    } else if (event.type === "text") {
      const content = stop.push(event.text);
      length += content.length;
      if (content !== "") yield chunk({ content });
      // The rest would be paid for and thrown away: leaving ends the turn.
      if (stop.stopped) break;
    }
  }
  if (end?.reason === "failed") throw turnFailure(end);
  const rest = stop.flush();
  length += rest.length;
  if (rest !== "") yield chunk({ content: rest });
  const kept = citations.filter(({ claim }) => claim.end <= length);
  const headwater = { end_reason: end?.reason ?? "complete", citations: kept.map(citationJson) };
  yield { ...chunk({ annotations: kept.map(annotationOf) }, finishReasonOf(end)), headwater };
  if (withUsage) yield { ...head, choices: [], usage: usageOf(end) };
}

/** The answer whole. */
export async function wholeCompletion(
  events: AsyncIterable<ChatEvent>,
  request: ChatCompletionRequest,
): Promise<ChatCompletion> {
  const asked = { ...request, stream_options: { include_usage: true } };
  let content = "";
  let reasoning = "";
  let last: ChatCompletionChunk | undefined;
  let usage: ChatCompletion["usage"] | null | undefined;
  for await (const chunk of completionChunks(events, asked)) {
    const [choice] = chunk.choices;
    content += choice?.delta.content ?? "";
    reasoning += choice?.delta.reasoning_content ?? "";
    if (choice?.finish_reason) last = chunk;
    usage = chunk.usage;
  }
  const [choice] = last?.choices ?? [];
  if (!last?.headwater || !choice || !usage) throw new TypeError("a completion ended without its end");
  const message = {
    role: "assistant" as const,
    content,
    ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
    refusal: null,
    annotations: choice.delta.annotations ?? [],
  };
  return {
    id: last.id,
    object: "chat.completion",
    created: last.created,
    model: last.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: choice.finish_reason ?? "stop" }],
    usage,
    headwater: last.headwater,
  };
}

function annotationOf({ claim, document }: CitationEvent) {
  return {
    type: "url_citation" as const,
    url_citation: {
      start_index: claim.start,
      end_index: claim.end,
      title: document.title || document.id,
      url: document.uri || `urn:headwater:document:${encodeURIComponent(document.id)}`,
    },
  };
}

/** undefined: a stop sequence ended the answer. */
function finishReasonOf(end: TurnEnd | undefined): "stop" | "length" | "content_filter" {
  switch (end?.reason) {
    case "length":
    case "step_limit":
    case "token_limit":
    case "time_limit":
    case "cost_limit":
      return "length";
    case "refused":
      return "content_filter";
    default:
      return "stop";
  }
}

function usageOf(end: TurnEnd | undefined) {
  const { inputTokens = 0, outputTokens = 0 } = end?.usage ?? {};
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
  };
}
