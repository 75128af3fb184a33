import type { HeadwaterClient, NewDocument } from "@headwater/client";
import type { HeadwaterError } from "@headwater/errors";
import { BoundedQueue } from "./bounded-queue.ts";
import type { ReceiptJson } from "./schemas/new-document.ts";

/** One document of a request, or what is wrong with it. */
export type PushItem =
  | { readonly index: number; readonly document: NewDocument }
  | { readonly index: number; readonly id: string; readonly error: HeadwaterError };

/**
 * Receipts that wait for a client which sends all before it reads any (many HTTP libraries do); about 4 MiB. Beyond
 * that the client has to read for the push to go on.
 */
const waitingReceipts = 20_000;

/**
 * Pushes documents as they come and yields a receipt for each, as each comes; an item that cannot be pushed gets its
 * refusal and the others go on. Ingest's pace reaches the source of the items, and so does the reader's.
 */
export async function* pushItems(
  client: HeadwaterClient,
  items: AsyncIterable<PushItem>,
  options: { tenant: string; signal: AbortSignal },
): AsyncGenerator<ReceiptJson, void, undefined> {
  const receipts = new BoundedQueue<ReceiptJson>(waitingReceipts);
  const leaving = new AbortController();
  const indexes: number[] = [];

  async function* accepted() {
    for await (const item of items) {
      if ("document" in item) {
        indexes.push(item.index);
        yield item.document;
      } else await receipts.push(refusal(item));
    }
  }
  const pump = async () => {
    const signal = AbortSignal.any([options.signal, leaving.signal]);
    try {
      for await (const receipt of client.documents.push(accepted(), { tenant: options.tenant, signal }))
        await receipts.push({ index: indexes.shift() ?? 0, ...receipt });
      receipts.end();
    } catch (thrown) {
      receipts.end(thrown);
    }
  };

  const pumped = pump();
  try {
    yield* receipts.read();
  } finally {
    leaving.abort();
    await pumped;
  }
}

function refusal(item: { index: number; id: string; error: HeadwaterError }): ReceiptJson {
  const { reason, message } = item.error;
  return {
    index: item.index,
    id: item.id,
    version: 0,
    partition: 0,
    offset: 0,
    error: { reason, message },
  };
}
