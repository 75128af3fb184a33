import type { AnswerOptions, CitationEvent, EndEvent, Model, Usage } from "@headwater/client";
import { endReasons } from "@headwater/client";
import { z } from "zod";
import { metadataJson, metadataSchema, rangeJson, textRangeSchema } from "./documents.ts";
import { named } from "./registry.ts";
import {
  defined,
  filterOptions,
  filterSchema,
  hitSchema,
  querySchema,
  searchSummarySchema,
} from "./search.ts";

export const answerRequestSchema = named(
  "AnswerRequest",
  z.strictObject({
    question: querySchema,
    filter: filterSchema.optional(),
    model: z.string().max(256).optional().describe("Name from /v1/models. Default: the server's"),
    max_passages: z.int().min(1).max(50).optional().describe("Passages given to the model. Default 8"),
    max_output_tokens: z.int().min(1).max(8192).optional().describe("Default 512"),
    temperature: z.number().min(0).max(2).optional(),
    prompt: z.string().min(1).max(256).optional().describe("name, name@label or name@version of a prompt"),
  }),
);

export const citationSchema = named(
  "Citation",
  z.object({
    source: z.number().describe("Place in the hits, from 1"),
    claim: textRangeSchema.describe("Offsets into the answer"),
    evidence: textRangeSchema.describe("Offsets into the extracted text of the document"),
    passage_id: z.string(),
    document: metadataSchema,
    page: z.number().describe("From 1; 0: none"),
    quote: z.string().describe("The evidence as it stands in the document"),
    support: z.number().describe("How well the evidence supports the claim, 0 to 1"),
  }),
);

export const passagesEventSchema = named(
  "PassagesEvent",
  z.object({ hits: z.array(hitSchema), summary: searchSummarySchema }),
);

export const textEventSchema = named("TextEvent", z.object({ text: z.string() }));

export const usageSchema = named(
  "Usage",
  z.object({
    input_tokens: z.number(),
    output_tokens: z.number(),
    cost: z.number().describe("US dollars; 0 where the server has no prices"),
  }),
);

export const promptReferenceSchema = named(
  "PromptReference",
  z.object({ name: z.string(), version: z.number() }).describe("The prompt that the model was given"),
);

export const endEventSchema = named(
  "EndEvent",
  z.object({
    end_reason: z.enum(endReasons).describe("no_support: the documents do not say, and the answer says so"),
    usage: usageSchema,
    model: z.string(),
    milliseconds: z.record(z.string(), z.number()).describe("By step"),
    prompt: promptReferenceSchema.optional(),
    answer_id: z.string().describe("For feedback"),
  }),
);

export const answerResponseSchema = named(
  "AnswerResponse",
  z.object({
    answer: z.string(),
    citations: z.array(citationSchema),
    hits: z.array(hitSchema).describe("The passages that the answer may cite, best first"),
    search: searchSummarySchema,
    ...endEventSchema.shape,
  }),
);

export const modelSchema = named(
  "Model",
  z.object({
    name: z.string(),
    provider: z.string(),
    is_default: z.boolean(),
    context_tokens: z.number().describe("Longest prompt and answer together; 0: no such limit"),
    tool_calling: z.string().describe("How it can be an agent's: native, text or none"),
    fallbacks: z.array(z.string()).describe("Models that answer in its place while it does not, in order"),
  }),
);

export const modelsSchema = named(
  "Models",
  z.object({
    models: z.array(modelSchema),
    object: z.literal("list"),
    data: z
      .array(
        z.object({
          id: z.string().describe("For ChatCompletionRequest.model"),
          object: z.literal("model"),
          created: z.number().describe("Unix seconds; 0: not known"),
          owned_by: z.string(),
        }),
      )
      .describe("The same models, the default one first, and the agents as agent:NAME"),
  }),
);

/** The body in the client's names. */
export function answerOptions(body: z.output<typeof answerRequestSchema>): AnswerOptions {
  return defined({
    filter: body.filter && filterOptions(body.filter),
    model: body.model,
    maxPassages: body.max_passages,
    maxOutputTokens: body.max_output_tokens,
    temperature: body.temperature,
    prompt: body.prompt,
  });
}

export function citationJson(citation: CitationEvent): z.output<typeof citationSchema> {
  return {
    source: citation.source,
    claim: rangeJson(citation.claim),
    evidence: rangeJson(citation.evidence),
    passage_id: citation.passageId,
    document: metadataJson(citation.document),
    page: citation.page,
    quote: citation.quote,
    support: citation.support,
  };
}

export function endJson(end: EndEvent): z.output<typeof endEventSchema> {
  return {
    end_reason: end.reason,
    usage: usageJson(end.usage),
    model: end.model,
    milliseconds: { ...end.milliseconds },
    prompt: end.prompt && { ...end.prompt },
    answer_id: end.answerId,
  };
}

export function usageJson({ inputTokens, outputTokens, cost }: Usage): z.output<typeof usageSchema> {
  return { input_tokens: inputTokens, output_tokens: outputTokens, cost };
}

export function modelJson(model: Model): z.output<typeof modelSchema> {
  return {
    name: model.name,
    provider: model.provider,
    is_default: model.isDefault,
    context_tokens: model.contextTokens,
    tool_calling: model.toolCalling,
    fallbacks: [...model.fallbacks],
  };
}
