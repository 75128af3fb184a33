import { AsyncLocalStorage } from "node:async_hooks";

/** What belongs to one request and is written on each of its log lines. */
export interface RequestContext {
  /** From the caller's `x-request-id`, or made at the edge. */
  readonly requestId: string;
  /** Owner of the documents, once it is known. */
  readonly tenant?: string;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** The request that the running code works for; undefined outside of requests. */
export function requestContext(): RequestContext | undefined {
  return storage.getStore();
}

/** Runs `work`, and everything that it awaits, on behalf of a request. */
export function withRequestContext<T>(context: RequestContext, work: () => T): T {
  return storage.run(context, work);
}

/**
 * Steps a generator on behalf of a request. Needed because an async generator resumes in the context of whoever asks
 * for the next value, not of whoever created it.
 */
export function generateInRequestContext<T, R>(
  context: RequestContext,
  generator: AsyncGenerator<T, R, undefined>,
): AsyncGenerator<T, R, undefined> {
  return {
    next: () => storage.run(context, () => generator.next()),
    return: (value) => storage.run(context, () => generator.return(value)),
    throw: (thrown) => storage.run(context, () => generator.throw(thrown)),
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: () => storage.run(context, () => generator[Symbol.asyncDispose]()),
  };
}
