import type { Output } from "../terminal/output.ts";
import { dim, green, red } from "../terminal/output.ts";

/** A document, or what could have been one, that was not taken or could not be indexed. */
export interface Refusal {
  readonly id: string;
  readonly reason: string;
  readonly message: string;
}

/** Of documents that are images of text: reading them needs OCR, which Headwater leaves to others. */
const ocrReasons: ReadonlySet<string> = new Set(["HW_DOCUMENT_IMAGE", "HW_DOCUMENT_NO_TEXT"]);

/** Tells what a librarian does, as it happens, and counts it. */
export class Account {
  readonly #output: Output;
  readonly #refused = new Map<string, Refusal>();
  #sent = 0;
  #indexed = 0;
  #deleted = 0;
  #unchanged = 0;
  #passedOver = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  get refusals(): number {
    return this.#refused.size;
  }

  isRefused(id: string): boolean {
    return this.#refused.has(id);
  }

  /** In the log; what becomes of it is told when it is known. */
  sent(id: string): void {
    this.#sent += 1;
    if (this.#output.json) this.#output.value({ type: "sent", id });
  }

  unchanged(): void {
    this.#unchanged += 1;
  }

  indexed(id: string): void {
    this.#indexed += 1;
    this.#refused.delete(id);
    this.#tell({ type: "indexed", id }, `${green("+")} ${id}`);
  }

  deleted(id: string): void {
    this.#deleted += 1;
    this.#refused.delete(id);
    this.#tell({ type: "deleted", id }, `${dim("-")} ${id}`);
  }

  /** Told once for as long as the reason stays the same. */
  refused(refusal: Refusal): void {
    const { id, reason, message } = refusal;
    if (this.#refused.get(id)?.reason === reason) return;
    this.#refused.set(id, refusal);
    const ocr = ocrReasons.has(reason);
    this.#tell(
      { type: ocr ? "needs_ocr" : "refused", id, reason, message },
      `${red("!")} ${id}: ${message} [${reason}]`,
    );
  }

  /** Nothing that was asked for, and nothing for us. */
  passedOver(refusal: Refusal): void {
    this.#passedOver += 1;
    if (this.#output.json) this.#output.value({ type: "passed_over", ...refusal });
  }

  /** A source in which nothing is to be found any more is taken for one that cannot be seen. */
  kept(source: string, documents: number): void {
    this.#tell(
      { type: "kept", source, documents },
      `${red("!")} ${source} is empty: the ${documents} documents that came from it are kept. Use headwater delete if they are to go.`,
    );
  }

  /** A crawl has reached the bound that it was given. */
  cutShort(maxPages: number): void {
    this.#tell(
      { type: "cut_short", maxPages },
      `${red("!")} ${maxPages} pages were asked for; there are more. Raise --max-pages to fetch them.`,
    );
  }

  /** What was done, and how much of what is there cannot be read. */
  summarize(): void {
    const needsOcr = [...this.#refused.values()].filter(({ reason }) => ocrReasons.has(reason)).length;
    const refused = this.refusals - needsOcr;
    this.#tell(
      {
        ...{ type: "summary", sent: this.#sent, indexed: this.#indexed, deleted: this.#deleted },
        ...{ unchanged: this.#unchanged, passedOver: this.#passedOver, refused, needsOcr },
      },
      [
        `${this.#sent} sent, ${this.#deleted} deleted, ${this.#unchanged} unchanged`,
        ...(this.#passedOver === 0 ? [] : [`${this.#passedOver} passed over`]),
        ...(refused === 0 ? [] : [`${refused} refused`]),
        ...(needsOcr === 0 ? [] : [`${needsOcr} would need OCR, which Headwater does not do`]),
      ].join(", "),
    );
  }

  #tell(value: Readonly<Record<string, unknown>>, line: string): void {
    if (this.#output.json) this.#output.value(value);
    else this.#output.line(line);
  }
}
