/** Port: the originals of documents, and texts too large for a record. */
export interface BlobStore {
  /**
   * Stores bytes under a key, replacing what was there in one step: a reader sees the old or the new, never half.
   * Durable on return. Bytes are streamed, so a blob may be larger than memory.
   *
   * @param key 1 to 1,024 bytes of UTF-8, parts joined by "/"; any other character is allowed, also "..", and is
   *   escaped by the adapter
   */
  put(key: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>;
  /** The bytes in pieces of at most 256 KiB; undefined where there is no such blob. */
  get(key: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Size in bytes; undefined where there is no such blob. */
  size(key: string): Promise<number | undefined>;
  /** Deleting what is not there is harmless. */
  delete(key: string): Promise<void>;
  /** Keys that start with `prefix`, in no order. */
  list(prefix: string): AsyncIterable<string>;
  /**
   * An address to which somebody without credentials may send a blob by HTTP, once; undefined where the store has no
   * address that people can reach.
   *
   * @param options.sizeBytes which the blob must have
   */
  presignPut(key: string, options: PresignPutOptions): Promise<PresignedPut | undefined>;
  /** An address that gives the blob to somebody without credentials; undefined as for `presignPut`. */
  presignGet(key: string, options: PresignGetOptions): Promise<PresignedGet | undefined>;
  /** @throws HeadwaterError UNAVAILABLE when the store cannot be reached or written */
  checkHealth(): Promise<void>;
  close(): Promise<void>;
}

export interface PresignPutOptions {
  readonly sizeBytes: number;
  /** Seconds from now until which the address is good; at most 7 days. */
  readonly expiresInSeconds: number;
}

export interface PresignGetOptions {
  /** Seconds from now until which the address is good; at most 7 days. */
  readonly expiresInSeconds: number;
  /** What the answer says of the bytes. */
  readonly mediaType: string;
  /** Under which a browser keeps them. */
  readonly fileName: string;
}

export interface PresignedGet {
  readonly url: string;
  readonly expires: Date;
}

/** Taken by PUT. */
export interface PresignedPut extends PresignedGet {
  /** To be sent as they are. */
  readonly headers: Readonly<Record<string, string>>;
}
