import type { BlobStore } from "@headwater/blob-store";
import { recordKey } from "@headwater/document-log";
import { HeadwaterError, invalidArgument } from "@headwater/errors";
import type { DocumentKey } from "@headwater/passage-index";
import { DocumentEvent } from "@headwater/proto/services/headwater/v1/event";
import type { PushDocument, PushRequest } from "@headwater/proto/services/headwater/v1/ingest";
import { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";
import { checkTenant } from "@headwater/rpc";
import type { Counter } from "@headwater/telemetry";
import { context, propagation } from "@opentelemetry/api";
import { Budget } from "../batching/budget.ts";
import { checkDeclaredDocument } from "../documents/document-rules.ts";
import type { Uploads } from "../uploads/uploads.ts";
import type { CollectedContent } from "./content-collector.ts";
import { ContentCollector } from "./content-collector.ts";
import type { EventAppender } from "./event-appender.ts";
import type { Receipt } from "./receipts.ts";
import { Receipts } from "./receipts.ts";
import type { VersionClock } from "./version-clock.ts";

export interface PushParts {
  readonly blobs: BlobStore;
  readonly appender: EventAppender;
  readonly clock: VersionClock;
  readonly uploads: Uploads;
  readonly maxDocumentBytes: number;
  readonly pushed: Counter<"result">;
}

/** Bytes of one message's content. */
const maxPieceBytes = 1024 * 1024;
/** Bytes of documents that one stream may have on their way into the log. */
const maxPendingBytes = 8 * 1024 * 1024;

/** A document whose pieces are still coming. */
interface Incoming {
  readonly document: PushDocument;
  /** Undefined: it was refused, its remaining pieces are passed over. */
  readonly content: ContentCollector | undefined;
}

/** One Push stream: takes documents in, gives a receipt for each. */
export class PushStream {
  readonly #parts: PushParts;
  readonly #signal: AbortSignal;
  readonly #receipts = new Receipts();
  readonly #bytes = new Budget(maxPendingBytes);
  #incoming: Incoming | undefined;

  constructor(parts: PushParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
  }

  async *answer(requests: AsyncIterable<PushRequest>): AsyncGenerator<Receipt> {
    const reading = this.#read(requests);
    reading.then(
      () => this.#receipts.end(reading),
      () => this.#receipts.end(reading),
    );
    yield* this.#receipts;
  }

  async #read(requests: AsyncIterable<PushRequest>): Promise<void> {
    try {
      for await (const { part } of requests) {
        if (part?.$case === "document") await this.#start(part.value);
        else if (part?.$case === "chunk") await this.#continue(part.value.data, part.value.more);
        else
          await this.#refuse(
            "",
            0,
            invalidArgument("HW_PUSH_EMPTY", "The message holds neither a document nor a piece of one."),
          );
      }
      await this.#refuseIncomplete();
    } finally {
      await this.#incoming?.content?.discard();
    }
  }

  async #start(pushed: PushDocument): Promise<void> {
    await this.#refuseIncomplete();
    try {
      checkDeclaredDocument(pushed);
      checkPiece(pushed.content);
      checkUpload(pushed);
    } catch (thrown) {
      await this.#refuse(pushed.id, pushed.version, thrown);
      if (pushed.more) this.#incoming = { document: pushed, content: undefined };
      return;
    }
    const tenant = checkTenant(pushed.tenant);
    const version = pushed.version === 0 ? this.#parts.clock.next() : pushed.version;
    const { content: first, more } = pushed;
    // The first piece must not be kept as long as the rest comes in.
    const document = { ...pushed, tenant, version, content: new Uint8Array() };
    const key = { tenant, documentId: pushed.id };
    if (pushed.upload !== "") return await this.#refer(document, key);
    const content = new ContentCollector(this.#parts.blobs, key, this.#parts.maxDocumentBytes);
    this.#incoming = { document, content };
    await this.#take(this.#incoming, first, more);
  }

  /** Takes in a document whose content is an upload. */
  async #refer(document: PushDocument, key: DocumentKey): Promise<void> {
    try {
      await this.#accept(document, await this.#parts.uploads.claim(key, document.upload));
    } catch (thrown) {
      this.#signal.throwIfAborted();
      await this.#refuse(document.id, document.version, thrown);
    }
  }

  async #continue(data: Uint8Array, more: boolean): Promise<void> {
    if (!this.#incoming) {
      const misuse = invalidArgument(
        "HW_PUSH_CHUNK_WITHOUT_DOCUMENT",
        "A piece came without a document before it.",
      );
      await this.#refuse("", 0, misuse);
      // What follows such a piece belongs to it and is not told again.
      if (more) this.#incoming = { document: DocumentWithoutStart, content: undefined };
    } else await this.#take(this.#incoming, data, more);
  }

  async #take(incoming: Incoming, piece: Uint8Array, more: boolean): Promise<void> {
    const { document, content } = incoming;
    try {
      if (content) {
        checkPiece(piece);
        await content.add(piece);
        if (!more) await this.#accept(document, await content.finish());
      }
      if (!more) this.#incoming = undefined;
    } catch (thrown) {
      await content?.discard();
      this.#incoming = more ? { document, content: undefined } : undefined;
      this.#signal.throwIfAborted();
      await this.#refuse(document.id, document.version, thrown);
    }
  }

  async #accept(document: PushDocument, collected: CollectedContent): Promise<void> {
    const { tenant, id, version, title, uri, mediaType, attributes, observedTime } = document;
    const { content, sha256, sizeBytes } = collected;
    const value = DocumentEvent.encode({
      ...{ tenant, id, version, title, uri, mediaType, attributes, observedTime },
      content,
      contentSha256: sha256,
    }).finish();
    const headers: Record<string, string> = {};
    propagation.inject(context.active(), headers);
    const now = Date.now();
    const status = {
      ...{ tenant, documentId: id, version, title, uri, attributes, sizeBytes },
      mediaType: (mediaType.split(";")[0] ?? "").trim().toLowerCase(),
      observedAt: observedTime?.getTime() ?? now,
      state: DocumentState.QUEUED,
      failure: null,
      contentSha256: sha256,
      passages: 0,
      textLength: 0,
      updatedAt: now,
    };
    const release = await this.#bytes.acquire(value.length, this.#signal);
    const appended = this.#parts.appender
      .append({ record: { key: recordKey(tenant, id), value, headers }, status }, this.#signal)
      .finally(release);
    await this.#receipts.add(
      appended.then((position) => {
        this.#parts.pushed.inc({ result: "accepted" });
        return { id, version, ...position };
      }),
    );
  }

  async #refuseIncomplete(): Promise<void> {
    const incoming = this.#incoming;
    this.#incoming = undefined;
    if (!incoming?.content) return;
    await incoming.content.discard();
    const { id, version } = incoming.document;
    const message = "The document ended before its last piece.";
    await this.#refuse(id, version, invalidArgument("HW_PUSH_INCOMPLETE", message, "Push it again, whole."));
  }

  async #refuse(id: string, version: number, thrown: unknown): Promise<void> {
    const error = HeadwaterError.from(thrown);
    this.#parts.pushed.inc({ result: "refused" });
    const message = error.action ? `${error.message} ${error.action}` : error.message;
    // An id that is too long is not sent back whole.
    const receipt = { id: id.slice(0, 1024), version, error: { reason: error.reason, message } };
    await this.#receipts.add(Promise.resolve(receipt));
  }
}

/** Stands for the document that a piece without one belongs to. */
const DocumentWithoutStart: PushDocument = {
  ...{ tenant: "", id: "", version: 0, title: "", uri: "", mediaType: "", attributes: {} },
  observedTime: undefined,
  content: new Uint8Array(),
  more: true,
  upload: "",
};

function checkUpload({ upload, content, more }: PushDocument): void {
  if (upload === "" || (content.length === 0 && !more)) return;
  throw invalidArgument("HW_PUSH_CONTENT_TWICE", "The document has content and refers to an upload.");
}

function checkPiece(piece: Uint8Array): void {
  if (piece.length > maxPieceBytes) {
    throw invalidArgument(
      "HW_PUSH_PIECE_TOO_LARGE",
      `One message holds more than ${maxPieceBytes} bytes of content.`,
      "Send the document in pieces, with `more` set on all but the last.",
    );
  }
}
