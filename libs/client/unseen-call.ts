import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { ConnectError } from "@connectrpc/connect";
import { reasonGiven } from "./error-details.ts";

/** Reset by which a server turns away a call that it has not looked at (RFC 9113, 8.7). */
const refused = "REFUSED_STREAM";

/** Attempts of one call in all: the second fails the same way only where another server stops just then. */
const mostAttempts = 3;

/** True where the server has not looked at the call: it may be made again, whatever it is. */
export function isUnseenCall(thrown: unknown): boolean {
  const error = ConnectError.from(thrown);
  // Its code is UNAVAILABLE or INTERNAL: Connect hears of the reset by the stream's end or by its error.
  return reasonGiven(error) === undefined && error.rawMessage.includes(refused);
}

/**
 * Makes a call again that crossed its server's good-bye on the way: a server that stops turns it away unseen, and the
 * next attempt goes over a new connection. Calls that stream their requests are left to who made them.
 */
export const repeatUnseen: Interceptor = (next) => async (request) => {
  const attempt = await repeatable(request);
  for (let attempts = 1; ; attempts++) {
    try {
      return await next(attempt());
    } catch (thrown) {
      const again = attempts < mostAttempts && isUnseenCall(thrown) && !request.signal.aborted;
      if (!again || attempt() === request) throw thrown;
    }
  }
};

type Request = UnaryRequest | StreamRequest;

/** What makes the request of each attempt; the request itself where it cannot be sent twice. */
async function repeatable(request: Request): Promise<() => Request> {
  if (!request.stream) return () => ({ ...request });
  if (request.method.methodKind !== "server_streaming") return () => request;
  const messages = await Array.fromAsync(request.message);
  return () => ({ ...request, message: allOf(messages) });
}

async function* allOf(
  messages: readonly MessageShape<DescMessage>[],
): AsyncGenerator<MessageShape<DescMessage>> {
  yield* messages;
}
