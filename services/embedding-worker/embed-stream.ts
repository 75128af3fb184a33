/** A request that has been taken up: its weight, and the promise of its response. */
export interface Taken<Out> {
  readonly tokens: number;
  readonly response: Promise<Out>;
}

/**
 * Answers a stream in the order of its requests, with several under way. While there is no room no more are read, so
 * flow control reaches the sender.
 *
 * @param take begins a request; resolves once its size is known
 * @param hasRoom asked with the tokens under way whether another request may be read; true where there are none
 * @param signal fires when the caller has left
 */
export async function* answerInOrder<In, Out>(
  requests: AsyncIterable<In>,
  take: (request: In, signal: AbortSignal) => Promise<Taken<Out>>,
  hasRoom: (tokens: number) => boolean,
  signal: AbortSignal,
): AsyncGenerator<Out> {
  const ending = new AbortController();
  const either = AbortSignal.any([signal, ending.signal]);
  const inHand: Promise<Out>[] = [];
  let tokens = 0;
  let readAll = false;
  let wake = Promise.withResolvers<void>();
  const changed = () => {
    wake.resolve();
    wake = Promise.withResolvers<void>();
  };

  const read = async () => {
    for await (const request of requests) {
      const taken = await take(request, either);
      tokens += taken.tokens;
      const response = taken.response.finally(() => {
        tokens -= taken.tokens;
        changed();
      });
      response.catch(() => {});
      inHand.push(response);
      changed();
      while (tokens > 0 && !hasRoom(tokens)) await wake.promise;
    }
  };
  // What stops the reading is told after the answers to what was read before.
  const reading = read().catch((thrown: unknown) => {
    const failed = Promise.reject(thrown);
    failed.catch(() => {});
    inHand.push(failed);
  });
  void reading.then(() => {
    readAll = true;
    changed();
  });

  try {
    while (true) {
      const next = inHand.shift();
      if (next !== undefined) yield await next;
      else if (readAll) return;
      else await wake.promise;
    }
  } finally {
    ending.abort();
  }
}
