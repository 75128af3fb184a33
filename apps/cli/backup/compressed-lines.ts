import type { Transform } from "node:stream";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";

type Bytes = AsyncIterable<Uint8Array>;

/** Characters of a batch, about. */
const batchLength = 1024 * 1024;

/** Lines as gzip, so that `zcat` shows them. No line holds a line feed. */
export function compressLines(batches: AsyncIterable<readonly string[]>): Bytes {
  return through(textOf(batches), createGzip());
}

/** The way back, in batches of about a mebibyte. */
export async function* readLines(content: Bytes): AsyncGenerator<readonly string[]> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let rest = "";
  let lines: string[] = [];
  let length = 0;
  for await (const piece of through(content, createGunzip())) {
    // Not readline: it also ends lines at U+2028, which JSON leaves as it is.
    const [first = "", ...others] = decoder.decode(piece, { stream: true }).split("\n");
    rest += first;
    for (const next of others) {
      lines.push(rest);
      length += rest.length;
      rest = next;
    }
    if (length < batchLength) continue;
    yield lines;
    lines = [];
    length = 0;
  }
  if (rest !== "") lines.push(rest);
  if (lines.length > 0) yield lines;
}

async function* textOf(batches: AsyncIterable<readonly string[]>): AsyncGenerator<Uint8Array> {
  for await (const lines of batches) if (lines.length > 0) yield Buffer.from(`${lines.join("\n")}\n`);
}

async function* through(source: Bytes, transform: Transform): AsyncGenerator<Uint8Array> {
  const feeding = pipeline(Readable.from(source), transform);
  // It destroys the transform with its error, which is thrown by whoever reads from that.
  feeding.catch(() => {});
  yield* transform as AsyncIterable<Uint8Array>;
  await feeding;
}
