import type { HeadwaterError } from "@headwater/errors";
import { invalidArgument } from "@headwater/errors";
import { bodyTooLarge } from "./body-stream.ts";
import { toHeadwaterError } from "./http-error.ts";
import type { PushItem } from "./push-items.ts";
import { readNewDocument } from "./schemas/new-document.ts";

const newline = 0x0a;

/**
 * Documents of a JSON Lines body (https://jsonlines.org). A line that is not one becomes an error of its own, and the
 * lines after it go on.
 *
 * @param maxLineBytes longer lines are refused and skipped; only so much of a line is held in memory
 */
export async function* jsonLinesItems(
  chunks: AsyncIterable<Buffer>,
  maxLineBytes: number,
): AsyncGenerator<PushItem, void, undefined> {
  let index = 0;
  for await (const line of lines(chunks, maxLineBytes)) {
    if (line !== undefined && isBlank(line)) continue;
    yield line === undefined
      ? { index, id: "", error: bodyTooLarge(maxLineBytes) }
      : itemOf(index, line.toString("utf8"));
    index += 1;
  }
}

/** One JSON document. */
export function itemOf(index: number, json: string): PushItem {
  try {
    return { index, document: readNewDocument(parseJson(json)) };
  } catch (thrown) {
    return { index, id: idIn(json), error: toHeadwaterError(thrown) };
  }
}

/** @throws HeadwaterError HW_JSON_INVALID, without any of the text in it */
export function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    // The parser's own message quotes the text, which may be someone's document.
    throw jsonInvalid();
  }
}

function jsonInvalid(): HeadwaterError {
  return invalidArgument("HW_JSON_INVALID", "This is not valid JSON.", "Send one JSON object in UTF-8.");
}

/** The id of a document that was refused, where it can be found, so that its sender knows which one it was. */
function idIn(json: string): string {
  const found = /"_?id"\s*:\s*"((?:[^"\\]|\\.){1,512})"/.exec(json.slice(0, 4096))?.[1];
  return found !== undefined && !found.includes("\\") ? found : "";
}

/** Lines without their end; undefined stands for one that was too long. */
async function* lines(
  chunks: AsyncIterable<Buffer>,
  maxBytes: number,
): AsyncGenerator<Buffer | undefined, void, undefined> {
  let pieces: Buffer[] = [];
  let bytes = 0;
  let skipping = false;
  const take = (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > maxBytes) {
      skipping = true;
      pieces = [];
    } else pieces.push(piece);
  };
  const finish = () => {
    const line = skipping ? undefined : Buffer.concat(pieces);
    pieces = [];
    bytes = 0;
    skipping = false;
    return line;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      take(chunk.subarray(start, end));
      start = end + 1;
      yield finish();
    }
    take(chunk.subarray(start));
  }
  if (bytes > 0) yield finish();
}

function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
