/**
 * Waits for the first event of a stream. What fails before it can be tried again or elsewhere, because the caller has
 * not seen anything; what fails after it cannot.
 *
 * @returns the whole stream, first event included; it has to be read at once, or the source is not closed
 */
export async function begin<Event>(events: AsyncIterable<Event>): Promise<AsyncGenerator<Event>> {
  const iterator = events[Symbol.asyncIterator]();
  return resume(await iterator.next(), iterator);
}

async function* resume<Event>(
  first: IteratorResult<Event, unknown>,
  iterator: AsyncIterator<Event>,
): AsyncGenerator<Event> {
  try {
    for (let step = first; !step.done; step = await iterator.next()) yield step.value;
  } finally {
    await iterator.return?.();
  }
}
