import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import type {
  Feedback as FeedbackMessage,
  FeedbackSchema,
  FeedbackService,
} from "@headwater/proto/connect/headwater/v1/feedback";
import { Rating as RatingNumber } from "@headwater/proto/connect/headwater/v1/feedback";
import type { PromptReference } from "./answer.ts";
import { toPromptReference } from "./answer.ts";
import type { CallOptions, Identity, ListPageOptions } from "./call.ts";
import { connectOptions, pageOf, stream, unary } from "./call.ts";
import { toDate } from "./document.ts";

export const ratings = ["none", "up", "down"] as const;
export type Rating = (typeof ratings)[number];

/** What somebody says of an answer or a hit. */
export interface NewFeedback {
  /** Answer or message that it is about. Default: it is about a hit of a search. */
  readonly answerId?: string;
  /** The question or query. */
  readonly question: string;
  /** Hit that it is about. Default: the whole answer. */
  readonly passageId?: string;
  /** Document of the hit. */
  readonly documentId?: string;
  readonly rating?: Rating;
  /** What would have been right. */
  readonly correction?: string;
  readonly comment?: string;
  /** The version of the prompt that wrote the answer. */
  readonly prompt?: PromptReference;
  /** The model that wrote the answer. */
  readonly model?: string;
}

export interface Feedback extends Required<Omit<NewFeedback, "prompt">> {
  readonly id: string;
  readonly prompt: PromptReference | undefined;
  /** Who said it. */
  readonly owner: string;
  readonly createdTime: Date | undefined;
}

export interface ListFeedbackOptions extends ListPageOptions {
  /** Only of this answer. Default: all. */
  answerId?: string;
}

/** A line of an evaluation set that `headwater eval` reads. */
export interface FeedbackLine {
  /** "queries.jsonl", "qrels.tsv" or "corrections.jsonl". */
  readonly file: string;
  readonly line: string;
}

export interface FeedbackBook {
  /** Again on the same subject by the same owner replaces it. */
  give(feedback: NewFeedback, options?: CallOptions): Promise<Feedback>;
  /** Newest first. */
  list(options?: ListFeedbackOptions): Promise<{ feedback: Feedback[]; nextPageToken: string }>;
  /** All of it as an evaluation set. */
  export(options?: CallOptions): AsyncGenerator<FeedbackLine, void, undefined>;
  /** Twice is harmless. */
  delete(id: string, options?: CallOptions): Promise<void>;
}

export function createFeedback(service: Client<typeof FeedbackService>, identity: Identity): FeedbackBook {
  return {
    async give(feedback, options = {}) {
      const request = { ...identity.of(options), feedback: feedbackMessage(feedback) };
      return toFeedback((await unary(service.giveFeedback(request, connectOptions(options)))).feedback);
    },
    async list(options = {}) {
      const request = {
        tenant: identity.tenantOf(options),
        ...pageOf(options),
        answerId: options.answerId ?? "",
      };
      const { feedback, nextPageToken } = await unary(service.listFeedback(request, connectOptions(options)));
      return { feedback: feedback.map(toFeedback), nextPageToken };
    },
    export: (options = {}) =>
      stream(
        options,
        (call) => service.exportFeedback({ tenant: identity.tenantOf(options) }, call),
        ({ file, line }) => ({ file, line }),
      ),
    async delete(id, options = {}) {
      await unary(service.deleteFeedback({ ...identity.of(options), id }, connectOptions(options)));
    },
  };
}

function feedbackMessage(feedback: NewFeedback): MessageInitShape<typeof FeedbackSchema> {
  return {
    answerId: feedback.answerId ?? "",
    question: feedback.question,
    passageId: feedback.passageId ?? "",
    documentId: feedback.documentId ?? "",
    rating: ratings.indexOf(feedback.rating ?? "none") as RatingNumber,
    correction: feedback.correction ?? "",
    comment: feedback.comment ?? "",
    model: feedback.model ?? "",
    ...(feedback.prompt ? { prompt: { ...feedback.prompt } } : {}),
  };
}

function toFeedback(message: FeedbackMessage | undefined): Feedback {
  return {
    id: message?.id ?? "",
    answerId: message?.answerId ?? "",
    question: message?.question ?? "",
    passageId: message?.passageId ?? "",
    documentId: message?.documentId ?? "",
    rating: ratings[message?.rating ?? RatingNumber.UNSPECIFIED] ?? "none",
    correction: message?.correction ?? "",
    comment: message?.comment ?? "",
    owner: message?.owner ?? "",
    createdTime: toDate(message?.createdTime),
    prompt: toPromptReference(message?.prompt),
    model: message?.model ?? "",
  };
}
