import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { PushRequestSchema, PushResponse } from "@headwater/proto/connect/headwater/v1/ingest";

/** A document to push. */
export interface NewDocument {
  /** Unique within the tenant: 1 to 512 bytes of UTF-8, no control characters. */
  id: string;
  /** The original. A stream is read only as fast as the server takes it, so it may be of any size. */
  content: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** An upload that was created for this id and whose bytes are there; `content` is "" then. */
  upload?: string;
  /** Grows with each change. Default: the time of receipt in unix milliseconds. */
  version?: number;
  title?: string;
  uri?: string;
  /** Default: found by sniffing the content and the suffix of `uri` or `id`. */
  mediaType?: string;
  attributes?: Readonly<Record<string, string>>;
  /** When the producer saw the document. Default: the time of receipt. */
  observedTime?: Date;
}

/** The document is durable in the log, or refused. */
export interface Receipt {
  readonly id: string;
  readonly version: number;
  readonly partition: number;
  readonly offset: number;
  /** Set when the document was refused; then it is not in the log. */
  readonly error: { readonly reason: string; readonly message: string } | undefined;
}

/** Bytes in one message; well under the contract's 1 MiB, so that a slow link sees steady progress. */
const pieceBytes = 256 * 1024;

/** The messages of a push, made one at a time as the call takes them. */
export async function* pushRequests(
  documents: AsyncIterable<NewDocument> | Iterable<NewDocument>,
  tenant: string,
): AsyncGenerator<MessageInitShape<typeof PushRequestSchema>> {
  for await (const document of documents) {
    const pieces = piecesOf(document.content);
    let piece = await pieces.next();
    let started = false;
    do {
      const bytes: Uint8Array = piece.done ? new Uint8Array() : piece.value;
      // Read ahead by one: only then is it known whether more follows.
      if (!piece.done) piece = await pieces.next();
      const more = !piece.done;
      yield {
        part: started
          ? { case: "chunk", value: { data: bytes, more } }
          : { case: "document", value: { ...startOf(document, tenant), content: bytes, more } },
      };
      started = true;
    } while (!piece.done);
  }
}

function startOf(document: NewDocument, tenant: string) {
  return {
    tenant,
    id: document.id,
    version: BigInt(document.version ?? 0),
    title: document.title ?? "",
    uri: document.uri ?? "",
    mediaType: document.mediaType ?? "",
    attributes: { ...document.attributes },
    upload: document.upload ?? "",
    ...(document.observedTime ? { observedTime: timestampFromDate(document.observedTime) } : {}),
  };
}

async function* piecesOf(content: NewDocument["content"]): AsyncGenerator<Uint8Array> {
  if (typeof content === "string") return yield* cut(new TextEncoder().encode(content));
  if (content instanceof Uint8Array) return yield* cut(content);
  for await (const bytes of content) yield* cut(bytes);
}

/** Pieces of the size of one message. */
export function* cut(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += pieceBytes)
    yield bytes.subarray(start, start + pieceBytes);
}

export function toReceipt({ id, version, partition, offset, error }: PushResponse): Receipt {
  return {
    id,
    version: Number(version),
    partition,
    offset: Number(offset),
    error: error && { reason: error.reason, message: error.message },
  };
}
