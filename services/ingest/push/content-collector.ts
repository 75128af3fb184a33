import type { Hash } from "node:crypto";
import { createHash, randomUUID } from "node:crypto";
import type { BlobStore } from "@headwater/blob-store";
import { HeadwaterError, invalidArgument } from "@headwater/errors";
import type { DocumentKey } from "@headwater/passage-index";
import { uploadKey } from "../documents/blob-keys.ts";
import { PieceChannel } from "./piece-channel.ts";

/** Bytes that travel inside an event; what is larger goes to the blob store as it arrives. */
const maxInlineBytes = 256 * 1024;

/** The content of a document that has arrived whole. */
export interface CollectedContent {
  readonly content:
    | { readonly $case: "inline"; readonly value: Uint8Array }
    | { readonly $case: "blob"; readonly value: string };
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** Takes in the pieces of one document. Holds at most `maxInlineBytes` and a piece in memory, however large it is. */
export class ContentCollector {
  readonly #blobs: BlobStore;
  readonly #document: DocumentKey;
  readonly #maxBytes: number;
  readonly #hash: Hash = createHash("sha256");
  #held: Uint8Array[] = [];
  #size = 0;
  #upload:
    | { readonly key: string; readonly channel: PieceChannel; readonly stored: Promise<void> }
    | undefined;

  constructor(blobs: BlobStore, document: DocumentKey, maxBytes: number) {
    this.#blobs = blobs;
    this.#document = document;
    this.#maxBytes = maxBytes;
  }

  /** @throws HeadwaterError INVALID_ARGUMENT, HW_DOCUMENT_TOO_LARGE; or what the blob store threw */
  async add(piece: Uint8Array): Promise<void> {
    this.#size += piece.length;
    if (this.#size > this.#maxBytes) {
      throw invalidArgument(
        "HW_DOCUMENT_TOO_LARGE",
        `The document is larger than ${this.#maxBytes} bytes.`,
        "Split it, or raise HEADWATER_INGEST_MAX_DOCUMENT_BYTES.",
      );
    }
    this.#hash.update(piece);
    if (this.#upload) return this.#upload.channel.write(piece);
    this.#held.push(piece);
    if (this.#size > maxInlineBytes) await this.#startUpload();
  }

  /** @throws what the blob store threw */
  async finish(): Promise<CollectedContent> {
    const sha256 = this.#hash.digest("hex");
    if (!this.#upload) {
      const value = this.#held.length === 1 ? (this.#held[0] ?? new Uint8Array()) : Buffer.concat(this.#held);
      return { content: { $case: "inline", value }, sizeBytes: this.#size, sha256 };
    }
    this.#upload.channel.end();
    await this.#upload.stored;
    return { content: { $case: "blob", value: this.#upload.key }, sizeBytes: this.#size, sha256 };
  }

  /** Drops what was taken in. */
  async discard(): Promise<void> {
    this.#held = [];
    if (!this.#upload) return;
    this.#upload.channel.fail(
      new HeadwaterError({ code: 1, reason: "HW_CANCELLED", message: "Not wanted." }),
    );
    // The failure is our own doing; and where the blob had been stored already, it goes.
    await this.#upload.stored.catch(() => {});
    await this.#blobs.delete(this.#upload.key);
  }

  async #startUpload(): Promise<void> {
    const key = uploadKey(this.#document, Date.now(), randomUUID());
    const channel = new PieceChannel();
    const stored = this.#blobs.put(key, channel);
    // Reported by the next `write`, and by `finish`.
    stored.catch((thrown: unknown) => channel.fail(thrown));
    this.#upload = { key, channel, stored };
    const held = this.#held;
    this.#held = [];
    for (const piece of held) await channel.write(piece);
  }
}
