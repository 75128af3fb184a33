/**
 * Waits for the first event of a stream. What fails before it can be tried again or elsewhere, because the caller has
 * not seen anything; what fails after it cannot.
 *
 * @returns the whole stream, first event included; it has to be read at once, or the source is not closed
 */
export async function begin<Event>(events: AsyncIterable<Event>): Promise<AsyncIterable<Event>> {
  const iterator = events[Symbol.asyncIterator]();
  let first: IteratorResult<Event> | undefined = await iterator.next();
  const begun: AsyncIterator<Event> = {
    next() {
      const step = first ? Promise.resolve(first) : iterator.next();
      first = undefined;
      return step;
    },
    return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
  };
  return { [Symbol.asyncIterator]: () => begun };
}
