import type { Feedback, FeedbackServiceDefinition } from "@headwater/proto/services/headwater/v1/feedback";
import type { RpcContext } from "@headwater/rpc";
import type { ServiceImplementation } from "nice-grpc";
import type { EnterDouble } from "./double-call.ts";
import { doubleTime, notFound } from "./double-call.ts";

/** Feedback in memory, of all tenants together. */
export function feedbackDouble(
  enter: EnterDouble,
): ServiceImplementation<FeedbackServiceDefinition, RpcContext> {
  const given = new Map<string, Feedback>();
  return {
    async giveFeedback(request, context) {
      await enter("", request, context);
      if (!request.feedback) throw notFound("HW_FEEDBACK_EMPTY", "feedback");
      const id = `feedback-${given.size + 1}`;
      const feedback = { ...request.feedback, id, owner: request.owner, createdTime: doubleTime };
      given.set(id, feedback);
      return { feedback };
    },
    async listFeedback(request, context) {
      await enter("", request, context);
      const chosen = [...given.values()].filter(
        ({ answerId }) => request.answerId === "" || answerId === request.answerId,
      );
      return { feedback: chosen, nextPageToken: "" };
    },
    async *exportFeedback(request, context) {
      await enter("", request, context);
      for (const { id, question } of given.values())
        yield { file: "queries.jsonl", line: JSON.stringify({ _id: id, text: question }) };
    },
    async deleteFeedback(request, context) {
      await enter("", request, context);
      given.delete(request.id);
      return {};
    },
  };
}
