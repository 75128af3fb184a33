import { invalidArgument } from "@headwater/errors";
import type { DocumentProcessor } from "../processor/document-processor.ts";

/** A processor in one thread: each line is a passage, space at the end is dropped; a document that says "poison" fails, as a broken PDF would. */
export class LineProcessor implements DocumentProcessor {
  readonly fingerprint: string;
  processed = 0;

  constructor(fingerprint = "lines") {
    this.fingerprint = fingerprint;
  }

  async process({ content }: { readonly content: Uint8Array }): ReturnType<DocumentProcessor["process"]> {
    this.processed += 1;
    const text = new TextDecoder().decode(content).trimEnd();
    if (text.includes("poison"))
      return {
        ok: false,
        stage: "parse",
        error: invalidArgument("HW_DOCUMENT_CORRUPT", "The document is broken."),
      };
    let start = 0;
    const passages = text.split("\n").map((line) => {
      const passage = { text: line, start, end: start + line.length, page: 0, headingPath: [], tokens: 1 };
      start += line.length + 1;
      return passage;
    });
    return { ok: true, document: { text, title: "", mediaType: "text/plain", passages } };
  }

  async close(): Promise<void> {}
}
