import { HeadwaterError, status } from "@headwater/errors";

/** What a server that stops says to streams that it does not see to their end. */
export function serverDraining(cause?: unknown): HeadwaterError {
  return new HeadwaterError({
    code: status.UNAVAILABLE,
    reason: "HW_SERVER_DRAINING",
    message: "The server is shutting down.",
    action: "Connect again; another server takes over.",
    cause,
  });
}

/**
 * What a caller sends, until the server drains: for streams that end only when their caller ends them. What was read
 * before can still be answered.
 *
 * @throws HeadwaterError HW_SERVER_DRAINING
 */
export async function* untilDraining<T>(
  messages: AsyncIterable<T>,
  draining: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const iterator = messages[Symbol.asyncIterator]();
  let refuse: (error: HeadwaterError) => void = () => {};
  const drain = () => refuse(serverDraining());
  draining.addEventListener("abort", drain, { once: true });
  try {
    while (true) {
      if (draining.aborted) throw serverDraining();
      // Not a race with one promise for the whole stream, which would keep something of each message.
      const step = await new Promise<IteratorResult<T>>((resolve, reject) => {
        refuse = reject;
        iterator.next().then(resolve, reject);
      });
      if (step.done) return;
      yield step.value;
    }
  } finally {
    draining.removeEventListener("abort", drain);
  }
}
