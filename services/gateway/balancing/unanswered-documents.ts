import type { PushRequest } from "@headwater/proto/connect/headwater/v1/ingest";

/** Bytes of documents that are kept until they are receipted; beyond it the caller waits for receipts. */
const maxKeptBytes = 16 * 1024 * 1024;

/** A document on its way. */
interface Sent {
  /** Undefined: it is too large to be kept. */
  messages: PushRequest[] | undefined;
  bytes: number;
  /** Its last piece has come. */
  whole: boolean;
}

/** The documents of a push that have no receipt yet, so that they can be sent to another server. */
export class UnansweredDocuments {
  readonly #documents: Sent[] = [];
  #bytes = 0;

  /** In order; undefined where a document is so large that only its sender can send it again. */
  get messages(): PushRequest[] | undefined {
    const messages: PushRequest[] = [];
    for (const document of this.#documents) {
      if (!document.messages) return undefined;
      messages.push(...document.messages);
    }
    return messages;
  }

  /** True while receipts are to come that make room before more is read. */
  get full(): boolean {
    return this.#bytes > maxKeptBytes && this.#documents.length > 1;
  }

  sent(message: PushRequest): void {
    const { part } = message;
    let document = this.#documents.at(-1);
    if (part.case !== "chunk" || !document || document.whole) {
      document = { messages: [], bytes: 0, whole: false };
      this.#documents.push(document);
    }
    document.whole = !(part.value?.more ?? false);
    const bytes = sizeOf(message);
    document.messages?.push(message);
    document.bytes += bytes;
    this.#bytes += bytes;
    if (document.bytes <= maxKeptBytes) return;
    this.#bytes -= document.bytes;
    document.bytes = 0;
    document.messages = undefined;
  }

  /** The oldest one has its receipt. */
  answered(): void {
    this.#bytes -= this.#documents.shift()?.bytes ?? 0;
  }
}

function sizeOf({ part }: PushRequest): number {
  if (part.case === "document") return part.value.content.length;
  return part.case === "chunk" ? part.value.data.length : 0;
}
