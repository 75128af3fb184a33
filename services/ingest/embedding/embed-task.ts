/** The passages of one document, as the embedder takes them. Texts are made when they are sent, not before. */
export interface TextSource {
  readonly length: number;
  /** Of all texts together, about. */
  readonly tokens: number;
  text(place: number): string;
}

/** Texts beyond which a document goes to the lane of large ones, so that small ones need not wait behind it. */
export const largeTask = 256;

/** A run of texts of one document, as it goes into one request. */
export interface Span {
  readonly task: EmbedTask;
  readonly from: number;
  readonly to: number;
  /** How often a request with nothing else in it has failed. */
  readonly attempts: number;
}

/** A document that is being embedded. */
export class EmbedTask {
  readonly source: TextSource;
  readonly vectors: Float32Array[];
  readonly result: Promise<Float32Array[]>;
  readonly #settle: PromiseWithResolvers<Float32Array[]>;
  readonly #onVector: () => void;
  #next = 0;
  #missing: number;
  #over = false;

  /** @param onVector told of each text that has its vector */
  constructor(source: TextSource, onVector: () => void) {
    this.source = source;
    this.#onVector = onVector;
    this.vectors = new Array<Float32Array>(source.length);
    this.#missing = source.length;
    this.#settle = Promise.withResolvers();
    this.result = this.#settle.promise;
  }

  /** Embedded, failed or no longer wanted. */
  get over(): boolean {
    return this.#over;
  }

  get unsent(): number {
    return this.#over ? 0 : this.source.length - this.#next;
  }

  /** The next texts to send, at most `limit`. */
  take(limit: number): Span {
    const from = this.#next;
    this.#next = Math.min(this.source.length, from + limit);
    return { task: this, from, to: this.#next, attempts: 0 };
  }

  fill(place: number, vector: Float32Array): void {
    if (this.#over || this.vectors[place]) return;
    this.vectors[place] = vector;
    this.#missing -= 1;
    this.#onVector();
    if (this.#missing > 0) return;
    this.#over = true;
    this.#settle.resolve(this.vectors);
  }

  fail(thrown: unknown): void {
    this.#over = true;
    this.#settle.reject(thrown);
  }
}
