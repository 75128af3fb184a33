/** Works on items as they come, some at one time. Where one fails no further ones are begun, and its error is thrown. */
export async function atOnce<Item>(
  items: AsyncIterable<Item>,
  limit: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.asyncIterator]();
  let failed = false;
  const worker = async () => {
    try {
      for (let next = await iterator.next(); !next.done && !failed; next = await iterator.next())
        await work(next.value);
    } catch (thrown) {
      failed = true;
      throw thrown;
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: limit }, worker));
  await iterator.return?.();
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}
