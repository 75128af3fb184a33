import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { NewDocument } from "@headwater/client";
import { readNewDocument } from "@headwater/gateway/new-document";
import { z } from "zod";

/** A line that is not a document. */
export interface BadLine {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

/** Reads documents line by line; a bad line is told and passed over. Empty lines do not count. */
export async function* readJsonLines(
  input: Readable,
  onBadLine: (bad: BadLine) => void,
): AsyncGenerator<NewDocument> {
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  let number = 0;
  try {
    for await (const line of lines) {
      number += 1;
      if (line.trim() === "") continue;
      const document = parseLine(line);
      if ("message" in document) onBadLine({ line: number, message: document.message });
      else yield document;
    }
  } finally {
    lines.close();
  }
}

/** True where a line has the form of a document, so that a `.jsonl` file is a collection and not one document. */
export function isDocumentLine(line: string): boolean {
  return !("message" in parseLine(line));
}

/** Headwater's own form or BEIR's, by the same rules as a JSON Lines body of the gateway. */
function parseLine(line: string): NewDocument | { message: string } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { message: "is not JSON" };
  }
  try {
    return readNewDocument(value);
  } catch (thrown) {
    if (!(thrown instanceof z.ZodError)) throw thrown;
    const [issue] = thrown.issues;
    return { message: `${issue?.path.join(".") ?? ""} ${issue?.message ?? "is not a document"}`.trim() };
  }
}
