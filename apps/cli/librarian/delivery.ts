import type { HeadwaterClient, NewDocument } from "@headwater/client";
import { HeadwaterError } from "@headwater/errors";
import type { Account } from "./account.ts";
import type { Patiently } from "./patience.ts";
import type { Change } from "./source.ts";

type Put = Extract<Change, { kind: "put" }>;

/** Documents in one push. The service can be asked for the state of 1,024 at once. */
const batchSize = 256;
const deletionsAtOnce = 16;
/** Pushes whose documents are not yet indexed; beyond that the next one waits. */
const maxUnsettled = 8;

export interface DeliveryOptions {
  readonly client: HeadwaterClient;
  readonly account: Account;
  readonly patiently: Patiently;
  readonly signal: AbortSignal;
}

/** Brings changes to the service. What has no receipt yet when the connection breaks is sent again. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #unsettled = new Set<Promise<void>>();
  /** Why it could not be found out what became of documents. */
  #failure: { readonly thrown: unknown } | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** The changes are in the log when it resolves. */
  async deliver(changes: Iterable<Change> | AsyncIterable<Change>): Promise<void> {
    let batch: Change[] = [];
    for await (const change of changes) {
      batch.push(change);
      if (batch.length < batchSize) continue;
      await this.#deliverBatch(batch);
      batch = [];
    }
    await this.#deliverBatch(batch);
  }

  /** Resolves when all that was delivered is indexed, or refused. */
  async settled(): Promise<void> {
    await Promise.all(this.#unsettled);
    if (this.#failure) throw this.#failure.thrown;
  }

  async #deliverBatch(batch: readonly Change[]): Promise<void> {
    const { client, account, patiently, signal } = this.#options;
    const left = batch.filter((change) => change.kind === "put");
    const received: string[] = [];
    await patiently(async () => {
      while (left.length > 0) await this.#push(left, received);
    });
    const deletions = batch.filter(({ kind }) => kind === "delete");
    for (let start = 0; start < deletions.length; start += deletionsAtOnce) {
      const some = deletions.slice(start, start + deletionsAtOnce).map(async ({ id }) => {
        await patiently(() => client.documents.delete(id, { signal }));
        account.deleted(id);
      });
      await Promise.all(some);
    }
    if (received.length > 0) await this.#follow(received);
  }

  /** Takes from `left` what has its receipt, or has gone. */
  async #push(left: Put[], received: string[]): Promise<void> {
    const { client, account, signal } = this.#options;
    const remove = (put: Put | undefined) => put && left.splice(left.indexOf(put), 1);
    const pushed: Put[] = [];
    let broken: { readonly put: Put; readonly thrown: unknown } | undefined;
    const guarded = async function* <T>(put: Put, content: AsyncIterable<T>) {
      try {
        yield* content;
      } catch (thrown) {
        broken = { put, thrown };
        throw thrown;
      }
    };
    const documents = async function* (): AsyncGenerator<NewDocument> {
      for (const put of [...left]) {
        for await (const document of guarded(put, openOne(put, signal))) {
          const { content } = document;
          const isStream = typeof content === "object" && Symbol.asyncIterator in content;
          pushed.push(put);
          yield isStream ? { ...document, content: guarded(put, content) } : document;
        }
        if (pushed.at(-1) !== put) remove(put);
      }
    };
    try {
      for await (const { id, error } of client.documents.push(documents(), { signal })) {
        remove(pushed.shift());
        if (error) {
          account.refused({ id, ...error });
          continue;
        }
        account.sent(id);
        received.push(id);
      }
    } catch (thrown) {
      signal.throwIfAborted();
      // The connection is well, and the source is not: what is left goes in a push of its own.
      if (!broken) throw thrown;
      const { put, thrown: fault } = broken;
      if (!(fault instanceof HeadwaterError) || fault.transient) throw fault;
      account.refused({ id: put.id, reason: fault.reason, message: fault.message });
      remove(put);
    }
  }

  async #follow(ids: readonly string[]): Promise<void> {
    const { patiently, signal } = this.#options;
    const following = patiently(() => this.#settle(ids))
      .catch((thrown: unknown) => {
        if (!signal.aborted) this.#failure ??= { thrown };
      })
      .finally(() => this.#unsettled.delete(following));
    this.#unsettled.add(following);
    if (this.#unsettled.size >= maxUnsettled) await Promise.race(this.#unsettled);
    if (this.#failure) throw this.#failure.thrown;
  }

  async #settle(ids: readonly string[]): Promise<void> {
    const { client, account, signal } = this.#options;
    const outcomes = new Map<string, () => void>();
    for await (const { id, state, failure } of client.documents.watch({ ids, untilSettled: true, signal })) {
      if (state === "indexed") outcomes.set(id, () => account.indexed(id));
      else if (state === "failed" && failure) outcomes.set(id, () => account.refused({ id, ...failure }));
      else outcomes.delete(id);
    }
    for (const tell of outcomes.values()) tell();
  }
}

/** One document, or none. */
async function* openOne({ open }: Put, signal: AbortSignal): AsyncGenerator<NewDocument> {
  const document = await open(signal);
  if (document) yield document;
}
