import { HeadwaterError, status } from "@headwater/errors";
import { ProtocolError, SdkError, SdkErrorCode } from "@modelcontextprotocol/client";

/** Code units of what a server says of its own failure. */
const maxReasonLength = 300;

/** @param why for people, without secrets */
export function serverUnavailable(server: string, why: string, cause?: unknown): HeadwaterError {
  return new HeadwaterError({
    code: status.UNAVAILABLE,
    reason: "HW_MCP_UNAVAILABLE",
    message: `The MCP server ${server} does not answer: ${why}.`,
    action:
      "Check that it runs and that its entry in HEADWATER_TOOLS_FILE is right; it is tried again by itself.",
    cause,
  });
}

export function callTimeout(server: string, timeoutMs: number): HeadwaterError {
  return new HeadwaterError({
    code: status.DEADLINE_EXCEEDED,
    reason: "HW_MCP_TIMEOUT",
    message: `The MCP server ${server} gave no answer within ${timeoutMs} ms.`,
    action: "Ask for less, or raise timeout_ms of the server.",
  });
}

/** True where the server was reached and refused: it lives, and the connection is as good as before. */
export function isRefusal(thrown: unknown): thrown is ProtocolError {
  return thrown instanceof ProtocolError;
}

export function isTimeout(thrown: unknown): boolean {
  return thrown instanceof SdkError && thrown.code === SdkErrorCode.RequestTimeout;
}

/** What happened, in one line; of errors that wrap another, the innermost. */
export function reasonOf(thrown: unknown): string {
  let innermost = thrown;
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause;
  const text = innermost instanceof Error ? innermost.message || innermost.name : String(innermost);
  return text.replaceAll(/\s+/g, " ").trim().slice(0, maxReasonLength).replace(/\.$/, "");
}
