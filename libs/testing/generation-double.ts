import { HeadwaterError } from "@headwater/errors";
import type {
  AnswerRequest,
  AnswerResponse,
  DeepPartial,
} from "@headwater/proto/services/headwater/v1/generation";
import { EndReason } from "@headwater/proto/services/headwater/v1/generation";
import type { DoubleContext as Context } from "./double-call.ts";
import { citation, hit, summary } from "./found-passage.ts";
import type { Seen } from "./misbehaviour.ts";
import { broken, endless, misbehave, note } from "./misbehaviour.ts";

export function generationDouble(seen: Seen) {
  return {
    async *answer(request: AnswerRequest, context: Context): AsyncGenerator<DeepPartial<AnswerResponse>> {
      note(seen, request.tenant, context);
      seen.answerRequest = request;
      await misbehave(seen, request.question, context);
      yield { event: { $case: "passages", value: { hits: [hit({})], summary } } };
      if (request.question === "break") throw new HeadwaterError(broken);
      if (request.question === "endless" || request.question === "flood") {
        const piece = request.question === "flood" ? "y".repeat(64 * 1024) : "y";
        for await (const _ of endless(seen, request.question, context))
          yield { event: { $case: "text", value: { text: piece } } };
      }
      yield { event: { $case: "text", value: { text: "At new moon " } } };
      yield { event: { $case: "text", value: { text: "and full moon." } } };
      yield { event: { $case: "citation", value: citation } };
      yield {
        event: {
          $case: "end",
          value: {
            reason: EndReason.COMPLETE,
            usage: { inputTokens: 120, outputTokens: 8 },
            model: "extractive",
            milliseconds: { search: 10, first_token: 15, total: 20 },
            answerId: "answer-1",
          },
        },
      };
    },
    async listModels() {
      const model = { name: "extractive", provider: "extractive", isDefault: true, toolCalling: "none" };
      return { models: [model] };
    },
  };
}
