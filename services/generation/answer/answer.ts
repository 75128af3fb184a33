import { randomUUID } from "node:crypto";
import type {
  FinishReason,
  LanguageModel,
  ModelMessage,
  ModelRequest,
  ModelUsage,
  Source,
} from "@headwater/language-model";
import { noSupportAnswer } from "@headwater/language-model";
import type { AnswerResponse, DeepPartial } from "@headwater/proto/services/headwater/v1/generation";
import { EndReason } from "@headwater/proto/services/headwater/v1/generation";
import type { Hit, SearchServiceDefinition } from "@headwater/proto/services/headwater/v1/search";
import type { RpcClient } from "@headwater/rpc";
import type { Telemetry } from "@headwater/telemetry";
import { normalize } from "@headwater/text";
import type { GenerationMetrics } from "../metrics.ts";
import { endReasonNames } from "../metrics.ts";
import type { Prompts, ResolvedPrompt } from "../prompts/prompts.ts";
import { inSpan } from "../spans.ts";
import type { CitedSource } from "./citations.ts";
import { createCitationWriter } from "./citations.ts";
import { newestWithin, tokensOf } from "./history-room.ts";
import { findPassages } from "./passages.ts";
import type { Prompt } from "./prompt.ts";
import { buildPrompt } from "./prompt.ts";
import type { CheckedRequest } from "./request.ts";
import type { RankSentences } from "./sentence-ranking.ts";

/** What an answer is made with. */
export interface AnswerTools {
  readonly search: RpcClient<SearchServiceDefinition>;
  readonly rank: RankSentences;
  readonly prompts: Prompts;
  readonly metrics: GenerationMetrics;
  readonly telemetry: Telemetry;
}

/** A question, and what came before it where it is asked within a conversation. */
export interface AnswerTask extends CheckedRequest {
  /** Chooses between the sides of a prompt's split; undefined: each answer draws anew. */
  readonly promptKey?: string;
  readonly conversation?: {
    /** As the person wrote it; `question` is what it means without the history, and is searched. */
    readonly message: string;
    /** Oldest first. */
    readonly history: readonly ModelMessage[];
    /** Statements of earlier conversations. */
    readonly memories: readonly string[];
  };
}

type Message = DeepPartial<AnswerResponse>;

const endReasons: Readonly<Record<FinishReason, EndReason>> = {
  complete: EndReason.COMPLETE,
  length: EndReason.LENGTH,
  "no-support": EndReason.NO_SUPPORT,
  refused: EndReason.REFUSED,
  // No tools are offered to a model that answers; one that calls all the same has said what it had to say.
  "tool-calls": EndReason.COMPLETE,
};

/**
 * Search, prompt, model, citations. Each message is made when the reader asks for it, so a slow reader slows the
 * model; a reader who leaves ends it through `signal`.
 */
export async function* answer(
  request: AnswerTask,
  model: LanguageModel,
  tools: AnswerTools,
  signal: AbortSignal,
): AsyncGenerator<Message> {
  const { tracer } = tools.telemetry;
  const started = performance.now();
  const milliseconds: Record<string, number> = {};
  const answerId = randomUUID();
  const task = await resolveTask(request, model, tools.prompts, answerId);
  const searching = performance.now();
  const { hits, summary } = await inSpan(tracer, "generation.search", () =>
    findPassages(tools.search, request, signal),
  );
  milliseconds["search"] = performance.now() - searching;

  const { cited, prompt, history } = layOut(request, model, hits, task);
  const passages = { hits: cited.map(({ hit }) => hit), ...(summary ? { summary } : {}) };
  yield { event: { $case: "passages", value: passages } };

  const end = (reason: EndReason, usage: ModelUsage, writer: string): Message => {
    milliseconds["total"] = performance.now() - started;
    tools.metrics.ended.inc({ model: model.name, reason: endReasonNames.get(reason) ?? "complete" });
    const version = task ? { prompt: { name: task.name, version: task.version } } : {};
    return {
      event: { $case: "end", value: { reason, usage, model: writer, milliseconds, answerId, ...version } },
    };
  };
  if (cited.length === 0) {
    milliseconds["first_token"] = performance.now() - started;
    yield { event: { $case: "text", value: { text: noSupportAnswer } } };
    yield end(EndReason.NO_SUPPORT, { inputTokens: 0, outputTokens: 0, cost: 0 }, model.name);
    return;
  }

  const writer = createCitationWriter(cited, tools.rank, signal);
  const modelRequest: ModelRequest = {
    question: request.question,
    sources: cited.map(({ source }) => source),
    messages: [
      { role: "system", text: prompt.instructions },
      ...history,
      { role: "user", text: prompt.text },
    ],
    maxOutputTokens: outputTokensOf(request, model),
    ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
  };
  for await (const event of model.generate(modelRequest, signal)) {
    if (event.type === "finish") {
      yield* writer.end();
      const reason = saysNothing(writer.text) ? EndReason.NO_SUPPORT : endReasons[event.reason];
      yield end(reason, event.usage, event.model);
      return;
    }
    if (event.type === "text" && milliseconds["first_token"] === undefined) {
      milliseconds["first_token"] = performance.now() - started;
      tools.metrics.countFirstToken(model.name, milliseconds["first_token"] / 1000);
    }
    if (event.type === "text" || event.type === "evidence") yield* writer.write(event);
  }
}

/** @returns undefined for a model that reads no prompt; a name that was asked for has to be right all the same */
async function resolveTask(
  { tenant, prompt, promptKey, conversation }: AnswerTask,
  model: LanguageModel,
  prompts: Prompts,
  answerId: string,
): Promise<ResolvedPrompt | undefined> {
  const reads = model.contextTokens !== undefined;
  if (!reads && prompt === "") return undefined;
  const reference = prompt || (conversation ? "chat" : "answer");
  const resolved = await prompts.resolve(tenant, reference, promptKey ?? answerId);
  return reads ? resolved : undefined;
}

function layOut(
  task: AnswerTask,
  model: LanguageModel,
  hits: readonly Hit[],
  told: ResolvedPrompt | undefined,
): { cited: CitedSource[]; prompt: Prompt; history: readonly ModelMessage[] } {
  const found = hits.map((hit, index) => {
    const source: Source = { number: index + 1, title: titleOf(hit), text: hit.text };
    return { source, hit };
  });
  const { conversation } = task;
  const budget = (model.contextTokens ?? Number.POSITIVE_INFINITY) - outputTokensOf(task, model);
  const history = newestWithin(conversation?.history ?? [], budget / 2);
  const prompt = buildPrompt(
    {
      task: told?.render({ date: new Date().toISOString().slice(0, 10) }) ?? "",
      question: conversation?.message ?? task.question,
      sources: found.map(({ source }) => source),
      memories: conversation?.memories ?? [],
    },
    budget - tokensOf(history),
  );
  return {
    cited: found.filter(({ source }) => prompt.sources.includes(source.number)),
    prompt,
    history,
  };
}

/** At least half of what a model can hold stays for the prompt. */
function outputTokensOf(request: AnswerTask, model: LanguageModel): number {
  const most = Math.floor((model.contextTokens ?? Number.POSITIVE_INFINITY) / 2);
  return Math.min(request.maxOutputTokens, most);
}

function titleOf({ document, location }: Hit): string {
  const title = document?.title || document?.uri || document?.id || "";
  return [title, ...(location?.headingPath ?? [])].filter((part) => part !== "").join(" > ");
}

/** True where a model wrote the sentence that the rules prescribe for want of support. */
export function saysNothing(text: string): boolean {
  const bare = (words: string) =>
    normalize(words)
      .replace(/[^\p{L}\p{N}]+/gu, " ")
      .trim();
  return bare(text) === bare(noSupportAnswer);
}
