import type { Readable } from "node:stream";
import { HeadwaterError, status } from "@headwater/errors";

/**
 * The bytes of a request as they come.
 *
 * @param idleMs milliseconds for which the sender may be silent while we wait for it
 * @throws HeadwaterError HW_BODY_TIMEOUT, or CANCELLED where the sender left
 */
export async function* bodyStream(body: Readable, idleMs: number): AsyncGenerator<Buffer, void, undefined> {
  const chunks = body.iterator({ destroyOnReturn: false });
  try {
    while (true) {
      const step = await orTimeout(chunks.next(), idleMs);
      if (step.done) return;
      yield step.value;
    }
  } catch (thrown) {
    throw body.errored || body.destroyed ? senderLeft(thrown) : thrown;
  }
}

async function orTimeout<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(bodyTimeout()), ms);
  });
  try {
    return await Promise.race([promise, silence]);
  } finally {
    clearTimeout(timer);
  }
}

function bodyTimeout(): HeadwaterError {
  return new HeadwaterError({
    code: status.DEADLINE_EXCEEDED,
    reason: "HW_BODY_TIMEOUT",
    message: "The body stopped coming.",
    action: "Send it without long pauses, or in several requests.",
  });
}

function senderLeft(cause: unknown): HeadwaterError {
  return new HeadwaterError({
    code: status.CANCELLED,
    reason: "HW_CANCELLED",
    message: "The sender left before the body was complete.",
    cause,
  });
}

/**
 * All bytes of a small body.
 *
 * @throws HeadwaterError HW_BODY_TOO_LARGE beyond `maxBytes`
 */
export async function readWhole(chunks: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw bodyTooLarge(maxBytes);
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}

export function bodyTooLarge(maxBytes: number): HeadwaterError {
  return new HeadwaterError({
    code: status.INVALID_ARGUMENT,
    reason: "HW_BODY_TOO_LARGE",
    message: `JSON may have ${maxBytes} bytes at most.`,
    action: "Push a large document as multipart or as a raw body; both are streamed.",
  });
}
