import { parse } from "csv-parse/sync";
import { DocumentBuilder } from "./document-builder.ts";
import { mediaTypes } from "./media-types.ts";
import { corruptDocument } from "./parse-errors.ts";
import type { ParsedDocument } from "./parsed-document.ts";
import type { ParserInput } from "./parser.ts";
import { decodeText } from "./text-decoding.ts";

const delimiters = [",", ";", "\t", "|"];

/**
 * CSV and TSV: each row becomes a block of "column: value" lines, so that a passage of rows can be understood, and
 * found, without the header. Rows of any length are taken as they are.
 */
export function parseDelimited({ content, charset, mediaType, limits }: ParserInput): ParsedDocument {
  const text = decodeText(content, charset);
  const delimiter = mediaType === mediaTypes.tsv ? "\t" : sniffDelimiter(text);
  const rows = readRows(text, delimiter);
  const header = headerOf(rows);
  const builder = new DocumentBuilder(limits.maxTextLength);
  for (const row of header ? rows.slice(1) : rows) builder.addRow(renderRow(row, header));
  // A header without rows is still text.
  if (builder.isEmpty && header) builder.addRow(header.join(" | "));
  return builder.finish("", mediaType);
}

function readRows(text: string, delimiter: string): string[][] {
  const options = { delimiter, relax_column_count: true, skip_empty_lines: true, bom: true, trim: true };
  try {
    return parse(text, { ...options, relax_quotes: true });
  } catch {
    // A quote that never closes: then quotes are no syntax in this file.
    try {
      return parse(text, { ...options, quote: null });
    } catch (cause) {
      throw corruptDocument("CSV", "its rows cannot be told apart", cause);
    }
  }
}

/** The delimiter that parts the first lines into the same number of cells, the more the better. */
function sniffDelimiter(text: string): string {
  const lines = text
    .slice(0, 64 * 1024)
    .split("\n", 20)
    .filter((line) => line.trim() !== "")
    .map((line) => line.replace(/"[^"]*"/g, ""));
  let best = ",";
  let bestScore = 0;
  for (const delimiter of delimiters) {
    const counts = lines.map((line) => line.split(delimiter).length - 1);
    const first = counts[0] ?? 0;
    const score = first * counts.filter((count) => count === first).length;
    if (score > bestScore) {
      best = delimiter;
      bestScore = score;
    }
  }
  return best;
}

/** The first row names the columns if its cells are different words and there is something below it. */
function headerOf(rows: readonly string[][]): string[] | undefined {
  const [first] = rows;
  if (first === undefined) return undefined;
  const names = first.map((name) => name.toLowerCase());
  const words = names.every((name) => name !== "" && name.length <= 100 && !/^[-+]?[\d.,\s]+%?$/.test(name));
  return words && new Set(names).size === names.length ? first : undefined;
}

function renderRow(row: readonly string[], header: readonly string[] | undefined): string {
  if (header === undefined || (header.length === 1 && row.length === 1)) {
    return row.filter((value) => value !== "").join(" | ");
  }
  return row
    .map((value, index) =>
      value === "" ? "" : header[index] === undefined ? value : `${header[index]}: ${value}`,
    )
    .filter((line) => line !== "")
    .join("\n");
}
