import type { PushRequest, PushResponse } from "@headwater/proto/connect/headwater/v1/ingest";
import type { Attempts } from "./attempts.ts";
import { isLostCall } from "./lost-call.ts";
import { UnansweredDocuments } from "./unanswered-documents.ts";

export interface PushOptions {
  /** What the caller sends. */
  readonly documents: AsyncIterable<PushRequest>;
  /** Carries one attempt. */
  readonly open: (documents: AsyncIterable<PushRequest>) => AsyncIterable<PushResponse>;
  readonly attempts: Attempts;
  readonly signal: AbortSignal | undefined;
  readonly onRepeat: () => void;
}

/**
 * A push that goes on with another server where its own is gone: documents without a receipt are sent again, which is
 * harmless, as a document that is pushed twice is the same document.
 */
export async function* resumedPush(options: PushOptions): AsyncGenerator<PushResponse> {
  const { open, attempts, signal, onRepeat } = options;
  const source = new Source(options.documents);
  const unanswered = new UnansweredDocuments();
  let receipted = Promise.withResolvers<void>();

  async function* requests(ended: AbortSignal): AsyncGenerator<PushRequest> {
    yield* unanswered.messages ?? [];
    while (!ended.aborted) {
      if (unanswered.full) {
        await receipted.promise;
        continue;
      }
      const step = await source.peek();
      // The attempt may have ended meanwhile; what has come is for the next one.
      if (ended.aborted) return;
      source.take();
      if (step.done) return;
      unanswered.sent(step.value);
      yield step.value;
    }
  }

  while (true) {
    const ended = new AbortController();
    try {
      for await (const receipt of open(requests(ended.signal))) {
        attempts.answered();
        unanswered.answered();
        receipted.resolve();
        receipted = Promise.withResolvers();
        yield receipt;
      }
      return;
    } catch (thrown) {
      const lost = !source.failed && isLostCall(thrown, signal);
      if (!lost || !unanswered.messages || !(await attempts.next())) throw thrown;
      onRepeat();
    } finally {
      ended.abort();
      receipted.resolve();
    }
  }
}

/** A stream that is read by one attempt after the other, with nothing lost in between. */
class Source {
  readonly #iterator: AsyncIterator<PushRequest>;
  #next: Promise<IteratorResult<PushRequest>> | undefined;
  failed = false;

  constructor(messages: AsyncIterable<PushRequest>) {
    this.#iterator = messages[Symbol.asyncIterator]();
  }

  peek(): Promise<IteratorResult<PushRequest>> {
    if (!this.#next) {
      this.#next = this.#iterator.next();
      this.#next.catch(() => {
        this.failed = true;
      });
    }
    return this.#next;
  }

  take(): void {
    this.#next = undefined;
  }
}
