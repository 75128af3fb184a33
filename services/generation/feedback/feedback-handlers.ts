import { invalidArgument } from "@headwater/errors";
import type {
  DeleteFeedbackRequest,
  ExportFeedbackRequest,
  Feedback,
  FeedbackServiceImplementation,
  GiveFeedbackRequest,
  ListFeedbackRequest,
} from "@headwater/proto/services/headwater/v1/feedback";
import { Rating } from "@headwater/proto/services/headwater/v1/feedback";
import type { RpcContext } from "@headwater/rpc";
import {
  checkPageSize,
  checkTenant,
  checkText,
  checkUuid,
  checkWhose,
  decodeTimePlace,
  timePlaceOf,
  toPage,
} from "@headwater/rpc";
import type { Registry } from "@headwater/telemetry";
import { Counter } from "@headwater/telemetry";
import { exportFeedback } from "./feedback-export.ts";
import type { FeedbackStore } from "./feedback-store.ts";

/** Code units. */
const limits = { question: 8192, correction: 16_384, comment: 4096, id: 2048, name: 256 };

/** As the label `rating` has them. */
const ratingNames: ReadonlyMap<Rating, string> = new Map([
  [Rating.UP, "up"],
  [Rating.DOWN, "down"],
  [Rating.UNSPECIFIED, "none"],
]);

/** The rpcs of FeedbackService. */
export class FeedbackHandlers implements FeedbackServiceImplementation<RpcContext> {
  readonly #store: FeedbackStore;
  readonly #given: Counter<"rating">;

  constructor(store: FeedbackStore, registry: Registry) {
    this.#store = store;
    this.#given = new Counter({
      name: "headwater_feedback_total",
      help: "Feedback that was given, by its rating; none: a correction or a comment alone",
      labelNames: ["rating"],
      registers: [registry],
    });
    for (const rating of ratingNames.values()) this.#given.inc({ rating }, 0);
  }

  async giveFeedback(request: GiveFeedbackRequest) {
    const { tenant, owner } = checkWhose(request);
    const feedback = await this.#store.put(tenant, owner, checkFeedback(request.feedback));
    this.#given.inc({ rating: ratingNames.get(feedback.rating) ?? "none" });
    return { feedback };
  }

  async listFeedback(request: ListFeedbackRequest) {
    const tenant = checkTenant(request.tenant);
    const limit = checkPageSize(request.pageSize);
    const answerId = checkText("The answer's id", request.answerId, { min: 0, max: limits.id });
    const question = `feedback/${tenant}/${answerId}`;
    const before = decodeTimePlace(question, request.pageToken);
    const rows = await this.#store.list(tenant, answerId, limit + 1, before);
    const { page, nextPageToken } = toPage(rows, limit, question, ({ createdTime: time, id }) =>
      timePlaceOf({ time, id }),
    );
    return { feedback: page, nextPageToken };
  }

  async *exportFeedback(request: ExportFeedbackRequest) {
    yield* exportFeedback(this.#store, checkTenant(request.tenant));
  }

  async deleteFeedback(request: DeleteFeedbackRequest) {
    const { tenant, owner } = checkWhose(request);
    await this.#store.delete(tenant, owner, checkUuid(request.id));
    return {};
  }
}

function checkFeedback(feedback: Feedback | undefined): Feedback {
  if (!feedback) throw invalidArgument("HW_FEEDBACK_EMPTY", "The request holds no feedback.");
  const { rating, correction, comment, answerId, passageId, prompt } = feedback;
  checkText("The question", feedback.question, { min: 1, max: limits.question });
  checkText("The correction", correction, { min: 0, max: limits.correction });
  checkText("The comment", comment, { min: 0, max: limits.comment });
  for (const id of [answerId, passageId, feedback.documentId])
    checkText("An id", id, { min: 0, max: limits.id });
  for (const name of [feedback.model, prompt?.name ?? ""])
    checkText("A name", name, { min: 0, max: limits.name });
  if (rating !== Rating.UNSPECIFIED && rating !== Rating.UP && rating !== Rating.DOWN)
    throw invalidArgument("HW_FEEDBACK_RATING_INVALID", "The rating is none of up and down.");
  if (rating === Rating.UNSPECIFIED && correction === "" && comment === "")
    throw invalidArgument("HW_FEEDBACK_EMPTY", "The feedback has no rating, correction or comment.");
  if (answerId === "" && passageId === "") {
    throw invalidArgument(
      "HW_FEEDBACK_SUBJECT_MISSING",
      "The feedback is about nothing.",
      "Name an answer, a passage, or both.",
    );
  }
  return feedback;
}
