import type { Feedback, NewFeedback } from "@headwater/client";
import { ratings } from "@headwater/client";
import { z } from "zod";
import { promptReferenceSchema } from "./answer.ts";
import { nextPageTokenSchema, pageQuery, timeSchema } from "./page.ts";
import { named } from "./registry.ts";
import { defined } from "./search.ts";

export const newFeedbackSchema = named(
  "NewFeedback",
  z.strictObject({
    answer_id: z.string().max(128).optional().describe("Answer or message. Default: it is about a hit"),
    question: z.string().min(1).max(8192).describe("The question or query"),
    passage_id: z.string().max(1024).optional().describe("Hit that it is about. Default: the whole answer"),
    document_id: z.string().max(512).optional().describe("Document of the hit"),
    rating: z.enum(ratings).optional(),
    correction: z.string().max(16_384).optional().describe("What would have been right"),
    comment: z.string().max(4096).optional(),
    prompt: z
      .strictObject({ name: z.string().max(128), version: z.int().min(0).max(4_294_967_295) })
      .optional()
      .describe("The version of the prompt that wrote the answer"),
    model: z.string().max(256).optional().describe("The model that wrote the answer"),
  }),
);

export const feedbackQuery = z.strictObject({
  ...pageQuery.shape,
  answer_id: z.string().max(128).optional().describe("Only of this answer"),
});

export const feedbackSchema = named(
  "Feedback",
  z.object({
    id: z.string(),
    answer_id: z.string(),
    question: z.string(),
    passage_id: z.string(),
    document_id: z.string(),
    rating: z.enum(ratings),
    correction: z.string(),
    comment: z.string(),
    owner: z.string().describe("Who said it"),
    created_time: timeSchema.optional(),
    prompt: promptReferenceSchema.optional(),
    model: z.string(),
  }),
);

export const feedbackListSchema = named(
  "FeedbackList",
  z.object({
    feedback: z.array(feedbackSchema).describe("Newest first"),
    next_page_token: nextPageTokenSchema,
  }),
);

export const feedbackLineSchema = named(
  "FeedbackLine",
  z.object({
    file: z.string().describe("queries.jsonl, qrels.tsv or corrections.jsonl"),
    line: z.string().describe("A line of that file, without its end"),
  }),
);

/** The body in the client's names. */
export function newFeedback(body: z.output<typeof newFeedbackSchema>): NewFeedback {
  return {
    question: body.question,
    ...defined({
      answerId: body.answer_id,
      passageId: body.passage_id,
      documentId: body.document_id,
      rating: body.rating,
      correction: body.correction,
      comment: body.comment,
      prompt: body.prompt,
      model: body.model,
    }),
  };
}

export function feedbackJson(feedback: Feedback): z.output<typeof feedbackSchema> {
  const { id, question, rating, correction, comment, owner, model, prompt } = feedback;
  return {
    ...{ id, question, rating, correction, comment, owner, model },
    answer_id: feedback.answerId,
    passage_id: feedback.passageId,
    document_id: feedback.documentId,
    created_time: feedback.createdTime?.toISOString(),
    prompt: prompt && { ...prompt },
  };
}
