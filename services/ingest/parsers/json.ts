import { DocumentBuilder } from "./document-builder.ts";
import type { JsonValue } from "./json-text.ts";
import { renderRecord, titleOf } from "./json-text.ts";
import { mediaTypes } from "./media-types.ts";
import { corruptDocument } from "./parse-errors.ts";
import type { ParsedDocument } from "./parsed-document.ts";
import type { ParserInput } from "./parser.ts";
import { decodeText } from "./text-decoding.ts";

/** JSON: an array is a list of records, anything else one record. */
export function parseJson(input: ParserInput): ParsedDocument {
  const text = decodeText(input.content, input.charset);
  const parsed = tryParse(text);
  if (parsed.ok) return recordsAsDocument(Array.isArray(parsed.value) ? parsed.value : [parsed.value], input);
  // JSON Lines is often declared as JSON.
  const firstLine = text.trimStart().split("\n", 1)[0] ?? "";
  if (firstLine.length < text.trim().length && tryParse(firstLine).ok) {
    return parseLines(text, { ...input, mediaType: mediaTypes.jsonLines });
  }
  throw corruptDocument("JSON", "its syntax is broken");
}

/** JSON Lines: a record on each line. The file is one document here; splitting it into documents is the sender's. */
export function parseJsonLines(input: ParserInput): ParsedDocument {
  return parseLines(decodeText(input.content, input.charset), input);
}

function parseLines(text: string, input: ParserInput): ParsedDocument {
  const records: JsonValue[] = [];
  let number = 0;
  for (const line of linesOf(text)) {
    number++;
    if (line.trim() === "") continue;
    const parsed = tryParse(line);
    if (!parsed.ok) throw corruptDocument("JSON Lines", `line ${number} is not JSON`);
    records.push(parsed.value);
  }
  return recordsAsDocument(records, input);
}

function recordsAsDocument(records: readonly JsonValue[], input: ParserInput): ParsedDocument {
  const builder = new DocumentBuilder(input.limits.maxTextLength);
  for (const record of records) builder.addRow(renderRecord(record));
  const [first] = records;
  return builder.finish(records.length === 1 && first !== undefined ? titleOf(first) : "", input.mediaType);
}

function tryParse(text: string): { ok: true; value: JsonValue } | { ok: false } {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false };
  }
}

/** One line at a time: an array of all lines would double the memory of a large file. */
function* linesOf(text: string): Generator<string> {
  let from = 0;
  while (from < text.length) {
    const end = text.indexOf("\n", from);
    yield text.slice(from, end < 0 ? text.length : end);
    from = end < 0 ? text.length : end + 1;
  }
}
