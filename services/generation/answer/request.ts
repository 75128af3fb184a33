import { invalidArgument } from "@headwater/errors";
import type { AnswerRequest } from "@headwater/proto/services/headwater/v1/generation";
import { checkTenant } from "@headwater/rpc";
import { checkLimit, checkTemperature } from "../request-checks.ts";

const maxQuestionLength = 8192;
const maxPassages = 50;
const maxOutputTokens = 8192;

/** A request as proto/headwater/v1/generation.proto allows it, with its defaults filled in. */
export type CheckedRequest = Omit<AnswerRequest, "model">;

/** @throws HeadwaterError INVALID_ARGUMENT */
export function checkRequest(request: AnswerRequest): CheckedRequest {
  const { question } = request;
  const tenant = checkTenant(request.tenant);
  if (question.trim() === "") {
    throw invalidArgument("HW_QUESTION_EMPTY", "The question is empty.", "Send a question.");
  }
  if (question.length > maxQuestionLength) {
    throw invalidArgument(
      "HW_QUESTION_TOO_LONG",
      `The question has ${question.length} code units, more than ${maxQuestionLength}.`,
      "Ask a shorter question.",
    );
  }
  checkTemperature(request.temperature);
  return {
    ...request,
    tenant,
    maxPassages: checkMaxPassages(request.maxPassages),
    maxOutputTokens: checkMaxOutputTokens(request.maxOutputTokens),
  };
}

/** @throws HeadwaterError INVALID_ARGUMENT, HW_LIMIT_INVALID */
export function checkMaxPassages(value: number): number {
  return checkLimit("max_passages", value, 8, maxPassages);
}

/** @throws HeadwaterError INVALID_ARGUMENT, HW_LIMIT_INVALID */
export function checkMaxOutputTokens(value: number): number {
  return checkLimit("max_output_tokens", value, 512, maxOutputTokens);
}
