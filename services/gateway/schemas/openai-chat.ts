import { z } from "zod";
import { citationSchema } from "./answer.ts";
import { named } from "./registry.ts";
import { filterSchema } from "./search.ts";

/** Parts of a message; only text is taken, and others are refused by name. */
const contentPart = z.looseObject({ type: z.string(), text: z.string().optional() });

const message = z.looseObject({
  role: z.enum(["system", "developer", "user", "assistant", "tool", "function"]),
  content: z.union([z.string(), z.array(contentPart)]).nullish(),
});

const tokens = z.int().min(1).nullish();

/**
 * As https://platform.openai.com/docs/api-reference/chat/create has it. Fields that are not named here are let through
 * and change nothing, so that front-ends which send more than that work.
 */
export const chatCompletionRequestSchema = named(
  "ChatCompletionRequest",
  z.looseObject({
    model: z.string().min(1).max(256).describe("An id from /v1/models: a model, or agent:NAME"),
    messages: z
      .array(message)
      .min(1)
      .max(4096)
      .describe("The last one is the question; those before it are the history"),
    stream: z.boolean().nullish(),
    stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
    temperature: z.number().min(0).max(2).nullish(),
    max_tokens: tokens.describe("Longest answer; more than 8,192 is 8,192"),
    max_completion_tokens: tokens.describe("The newer name of max_tokens"),
    stop: z.union([z.string(), z.array(z.string()).max(16)]).nullish(),
    n: z.literal(1, "only one choice is made").nullish(),
    logprobs: z.literal(false, "log probabilities are not known").nullish(),
    tools: z.array(z.unknown()).max(0, toolsRefused()).nullish(),
    functions: z.array(z.unknown()).max(0, toolsRefused()).nullish(),
    response_format: z
      .looseObject({ type: z.literal("text", "answers are text; JSON cannot be promised") })
      .nullish(),
    headwater: z
      .strictObject({
        filter: filterSchema.optional(),
        max_passages: z.int().min(1).max(50).optional(),
        prompt: z.string().min(1).max(256).optional(),
      })
      .optional()
      .describe("What OpenAI's API has no word for"),
  }),
);
export type ChatCompletionRequest = z.output<typeof chatCompletionRequestSchema>;

function toolsRefused(): string {
  return "tools of the caller are not taken; make an agent with tools and name it as model agent:NAME";
}

const annotation = z.object({
  type: z.literal("url_citation"),
  url_citation: z.object({
    start_index: z.number(),
    end_index: z.number(),
    title: z.string(),
    url: z.string().describe("The document's uri, or urn:headwater:document:<id>"),
  }),
});

const usage = z.object({
  prompt_tokens: z.number(),
  completion_tokens: z.number(),
  total_tokens: z.number(),
});

const finishReason = z.enum(["stop", "length", "content_filter"]);

const extension = z.object({
  end_reason: z.string().describe("As in TurnEnd: no_support says that the documents do not say"),
  citations: z.array(citationSchema),
});

export const chatCompletionSchema = named(
  "ChatCompletion",
  z.object({
    id: z.string(),
    object: z.literal("chat.completion"),
    created: z.number().describe("Unix seconds"),
    model: z.string(),
    choices: z.array(
      z.object({
        index: z.number(),
        message: z.object({
          role: z.literal("assistant"),
          content: z.string(),
          reasoning_content: z.string().optional(),
          refusal: z.null(),
          annotations: z.array(annotation),
        }),
        logprobs: z.null(),
        finish_reason: finishReason,
      }),
    ),
    usage,
    headwater: extension,
  }),
);
export type ChatCompletion = z.output<typeof chatCompletionSchema>;

export const chatCompletionChunkSchema = named(
  "ChatCompletionChunk",
  z.object({
    id: z.string(),
    object: z.literal("chat.completion.chunk"),
    created: z.number(),
    model: z.string(),
    choices: z.array(
      z.object({
        index: z.number(),
        delta: z.object({
          role: z.literal("assistant").optional(),
          content: z.string().optional(),
          reasoning_content: z.string().optional(),
          annotations: z.array(annotation).optional(),
        }),
        logprobs: z.null(),
        finish_reason: finishReason.nullable(),
      }),
    ),
    usage: usage.nullish(),
    headwater: extension.optional().describe("With the last choice"),
  }),
);
export type ChatCompletionChunk = z.output<typeof chatCompletionChunkSchema>;

export const openAiErrorSchema = named(
  "OpenAiError",
  z.object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string().describe("OpenAI's where it has one, such as model_not_found; else HW_…"),
      action: z.string().describe("What can be done about it; may be empty"),
      request_id: z.string(),
    }),
  }),
);
