import type { HeadwaterError } from "@headwater/errors";
import type { FastifyReply, FastifyRequest } from "fastify";
import { httpStatusOf, sendError } from "./http-error.ts";

/** An error as OpenAI's API words it (https://platform.openai.com/docs/guides/error-codes), with ours beside it. */
export interface OpenAiErrorBody {
  error: {
    message: string;
    type: string;
    param: string | null;
    code: string;
    /** What can be done about it; may be empty. */
    action: string;
    request_id: string;
  };
}

/** Codes that clients of OpenAI look for; others are our own reason. */
const codes: Readonly<Record<string, string>> = {
  HW_AGENT_UNKNOWN: "model_not_found",
  HW_CREDENTIALS_MISSING: "invalid_api_key",
  HW_CREDENTIALS_UNKNOWN: "invalid_api_key",
  HW_INPUT_TOO_LONG: "context_length_exceeded",
  HW_MODEL_UNKNOWN: "model_not_found",
  HW_RATE_LIMITED: "rate_limit_exceeded",
};

/** Other HTTP statuses than ours, where clients of OpenAI expect them. */
const statuses: Readonly<Record<string, number>> = { model_not_found: 404 };

export function openAiErrorBody(error: HeadwaterError, requestId: string): OpenAiErrorBody {
  return {
    error: {
      message: error.message,
      type: typeOf(statusOf(error)),
      // The names of all fields that are wrong stand in the message.
      param: null,
      code: codes[error.reason] ?? error.reason,
      action: error.action,
      request_id: requestId,
    },
  };
}

/** Answers a request that failed before its response began. */
export function sendOpenAiError(request: FastifyRequest, reply: FastifyReply, thrown: unknown): FastifyReply {
  return sendError(request, reply, thrown, { status: statusOf, body: openAiErrorBody });
}

function statusOf(error: HeadwaterError): number {
  return statuses[codes[error.reason] ?? ""] ?? httpStatusOf(error);
}

function typeOf(httpStatus: number): string {
  if (httpStatus === 429) return "rate_limit_error";
  if (httpStatus >= 500) return "server_error";
  return "invalid_request_error";
}
