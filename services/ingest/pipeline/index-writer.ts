import { setTimeout as delay } from "node:timers/promises";
import { HeadwaterError } from "@headwater/errors";
import type { DocumentKey, DocumentPassages, PassageIndex } from "@headwater/passage-index";
import { retry, untilAborted } from "@headwater/resilience";
import { GroupCommit } from "../batching/group-commit.ts";
import type { Trouble } from "./trouble.ts";

type Operation = (
  | { readonly kind: "replace"; readonly document: DocumentPassages }
  | { readonly kind: "remove"; readonly key: DocumentKey }
) & {
  /** Fires when the event is another consumer's, who may have written a newer version meanwhile. */
  readonly signal: AbortSignal;
};

/** Undefined: done. An error: this document is at fault. */
type Result = HeadwaterError | undefined;

/** Documents in one commit, whatever their size. */
const maxDocuments = 512;
/** An error that does not say that the index is down is given this many chances before a document is blamed. */
export const maxIndexAttempts = 4;

export interface IndexWriterOptions {
  readonly index: () => PassageIndex;
  readonly trouble: Trouble;
  readonly signal: AbortSignal;
  readonly maxPassages: number;
  readonly lingerMs: number;
  /** True: all documents that are under way are waiting here, so there is nothing to wait for. */
  readonly nothingElse: (waiting: number) => boolean;
}

/** Writes documents to the indexes, whole ones, many in one commit. */
export class IndexWriter {
  readonly #options: IndexWriterOptions;
  readonly #group: GroupCommit<Operation, Result>;

  constructor(options: IndexWriterOptions) {
    this.#options = options;
    this.#group = new GroupCommit({
      maxItems: maxDocuments,
      maxWeight: options.maxPassages,
      weigh: (operation) =>
        operation.kind === "replace" ? Math.max(1, operation.document.passages.length) : 1,
      lingerMs: options.lingerMs,
      nothingElse: options.nothingElse,
      commit: (operations) => this.#commit(operations),
    });
  }

  /** Durable in both indexes when it resolves. @throws HeadwaterError where the document itself is at fault */
  async replace(document: DocumentPassages, signal: AbortSignal): Promise<void> {
    throwIfFailed(await untilAborted(this.#group.add({ kind: "replace", document, signal }), signal));
  }

  /** @throws HeadwaterError where the document itself is at fault */
  async remove(key: DocumentKey, signal: AbortSignal): Promise<void> {
    throwIfFailed(await untilAborted(this.#group.add({ kind: "remove", key, signal }), signal));
  }

  /** One that was waiting will not come: asks again whether there is anything to wait for. */
  poke(): void {
    this.#group.poke();
  }

  async #commit(operations: readonly Operation[]): Promise<Result[]> {
    try {
      await this.#write(operations);
      return operations.map(() => undefined);
    } catch (thrown) {
      this.#options.signal.throwIfAborted();
      const [only, ...others] = operations;
      if (only && others.length === 0) return [HeadwaterError.from(thrown)];
    }
    // One of them is at fault, and the others must not fail with it.
    const results: Result[] = [];
    for (const operation of operations) results.push(...(await this.#commit([operation])));
    return results;
  }

  async #write(operations: readonly Operation[]): Promise<void> {
    const { signal, trouble } = this.#options;
    await retry(
      async () => {
        const index = this.#options.index();
        const documents = (await wanted(operations)).flatMap((one) =>
          one.kind === "replace" ? one.document : [],
        );
        if (documents.length > 0) await index.replace(documents);
        const removed = (await wanted(operations)).flatMap((one) => (one.kind === "remove" ? one.key : []));
        if (removed.length > 0) await index.remove(removed);
      },
      {
        signal,
        retries: (error, attempt) => error.transient || attempt < maxIndexAttempts,
        onRetry: (error) => trouble.report("index", error),
      },
    );
    trouble.clear("index");
  }
}

/**
 * Those that were not called off. A process that was suspended hears that its partitions went to others by a timer,
 * which is overdue: it comes before the one that is waited for here.
 */
async function wanted(operations: readonly Operation[]): Promise<Operation[]> {
  await delay(0);
  return operations.filter(({ signal }) => !signal.aborted);
}

function throwIfFailed(result: Result): void {
  if (result) throw result;
}
