import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  AnswerRequestSchema,
  AnswerResponse,
  Citation as CitationMessage,
  PassagesFound,
  PromptVersionReference as PromptReferenceMessage,
  Usage as UsageMessage,
} from "@headwater/proto/connect/headwater/v1/generation";
import type { DocumentMetadata, TextRange } from "./document.ts";
import { toMetadata, toRange } from "./document.ts";
import type { Continuation, ReconnectOptions } from "./reconnect.ts";
import type { Filter, Hit, SearchSummary } from "./search.ts";
import { filterMessage, toHit, toSummary } from "./search.ts";

export interface AnswerOptions extends ReconnectOptions {
  filter?: Filter;
  /** Name of a language model, see `models()`. Default: the server's. */
  model?: string;
  /** Passages given to the model, 1 to 50. Default 8. */
  maxPassages?: number;
  /** Longest answer in tokens, 1 to 8,192. Default 512. */
  maxOutputTokens?: number;
  /** 0 to 2. Default: the model's. */
  temperature?: number;
  /** "name", "name@label" or "name@version" of the prompt that rules the model. Default "answer@production". */
  prompt?: string;
}

/** What was found; always first. */
export interface PassagesEvent {
  readonly type: "passages";
  /** Best first; a citation's `source` is the place in this list, from 1. */
  readonly hits: readonly Hit[];
  readonly summary: SearchSummary;
}

/** A piece of the answer, to be appended. */
export interface TextEvent {
  readonly type: "text";
  readonly text: string;
}

/** A source for a claim whose text has been sent in full. */
export interface CitationEvent {
  readonly type: "citation";
  /** Place in the passages, from 1. */
  readonly source: number;
  /** Offsets into the answer. */
  readonly claim: TextRange;
  /** Offsets into the extracted text of the document. */
  readonly evidence: TextRange;
  readonly passageId: string;
  readonly document: DocumentMetadata;
  /** From 1; 0: none. */
  readonly page: number;
  /** The evidence as it stands in the document. */
  readonly quote: string;
  /** How well the evidence supports the claim, 0 to 1. */
  readonly support: number;
}

export const endReasons = ["complete", "length", "no_support", "refused"] as const;
export type EndReason = (typeof endReasons)[number];

export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** US dollars; 0 where the server has no prices. */
  readonly cost: number;
}

/** Which version of a prompt wrote something. */
export interface PromptReference {
  readonly name: string;
  /** From 1; 0: the one that comes with Headwater. */
  readonly version: number;
}

/** The end; always last. */
export interface EndEvent {
  readonly type: "end";
  readonly reason: EndReason;
  readonly usage: Usage;
  readonly model: string;
  /** By step: "search", "first_token", "total". */
  readonly milliseconds: Readonly<Record<string, number>>;
  /** Undefined where the model reads no prompt. */
  readonly prompt: PromptReference | undefined;
  /** For feedback. */
  readonly answerId: string;
}

export type AnswerEvent = PassagesEvent | TextEvent | CitationEvent | EndEvent;

/** A language model that a request may name. */
export interface Model {
  readonly name: string;
  readonly provider: string;
  readonly isDefault: boolean;
  /** Longest prompt and answer together; 0: no such limit. */
  readonly contextTokens: number;
  /** How it can be an agent's: "native", "text" or "none". */
  readonly toolCalling: string;
  /** Models that answer in its place while it does not, in order. */
  readonly fallbacks: readonly string[];
}

/** Another run of the model would be another answer: it is asked again only while nothing was read. */
export function continuedAnswer(): Continuation<AnswerEvent> {
  let begun = false;
  return {
    get possible() {
      return !begun;
    },
    isNew() {
      begun = true;
      return true;
    },
  };
}

export function answerRequest(
  question: string,
  tenant: string,
  options: AnswerOptions,
): MessageInitShape<typeof AnswerRequestSchema> {
  return {
    tenant,
    question,
    ...(options.filter ? { filter: filterMessage(options.filter) } : {}),
    model: options.model ?? "",
    maxPassages: options.maxPassages ?? 0,
    maxOutputTokens: options.maxOutputTokens ?? 0,
    ...(options.temperature === undefined ? {} : { temperature: options.temperature }),
    prompt: options.prompt ?? "",
  };
}

/** undefined for a message that a newer server sends and this client does not know. */
export function answerEvent({ event }: AnswerResponse): AnswerEvent | undefined {
  switch (event.case) {
    case "passages":
      return toPassages(event.value);
    case "text":
      return { type: "text", text: event.value.text };
    case "citation":
      return toCitation(event.value);
    case "end": {
      const { reason, usage, model, milliseconds, prompt, answerId } = event.value;
      return {
        type: "end",
        reason: endReasons[reason - 1] ?? "complete",
        usage: toUsage(usage),
        ...{ model, milliseconds, answerId },
        prompt: toPromptReference(prompt),
      };
    }
    default:
      return undefined;
  }
}

export function toPassages({ hits, summary }: PassagesFound): PassagesEvent {
  return { type: "passages", hits: hits.map(toHit), summary: toSummary(summary) };
}

export function toCitation(message: CitationMessage): CitationEvent {
  const { source, claim, evidence, passageId, document, page, quote, support } = message;
  return {
    type: "citation",
    source,
    claim: toRange(claim),
    evidence: toRange(evidence),
    passageId,
    document: toMetadata(document),
    page,
    quote,
    support,
  };
}

export function toUsage(message: UsageMessage | undefined): Usage {
  return {
    inputTokens: message?.inputTokens ?? 0,
    outputTokens: message?.outputTokens ?? 0,
    cost: message?.cost ?? 0,
  };
}

export function toPromptReference(message: PromptReferenceMessage | undefined): PromptReference | undefined {
  return message && { name: message.name, version: message.version };
}
