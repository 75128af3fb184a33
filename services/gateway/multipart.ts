import type { IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { BusboyFileStream, BusboyInstance } from "@fastify/busboy";
import { Busboy } from "@fastify/busboy";
import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import { z } from "zod";
import { BoundedQueue } from "./bounded-queue.ts";
import { toHeadwaterError } from "./http-error.ts";
import { parseJson } from "./json-lines.ts";
import type { PushItem } from "./push-items.ts";
import { describedBy, documentFieldsSchema, documentIdSchema } from "./schemas/new-document.ts";

/** A field describes one document; its title, uri and 64 attributes fit. */
const maxFieldBytes = 256 * 1024;
const maxFieldNameBytes = 100;
/** A browser that knows nothing better says this; then the content is sniffed. */
const unknownMediaType = "application/octet-stream";

const idSchema = z.object({ id: documentIdSchema });

type Part =
  | { readonly kind: "field"; readonly name: string; readonly value: string; readonly truncated: boolean }
  | {
      readonly kind: "file";
      readonly filename: string;
      readonly mediaType: string;
      readonly stream: BusboyFileStream;
    };

/**
 * Documents of a multipart/form-data body (RFC 7578). Each file is one document and is streamed, never held. Fields
 * before a file say what it is: `id`, `title`, `uri`, `media_type`, `version`, `observed_time`, `attributes` (a JSON
 * object), or `document` with all of them as one JSON object. Without an `id` the file name is taken.
 *
 * @throws HeadwaterError HW_MULTIPART_INVALID for a body that is no multipart at all
 */
export async function* multipartItems(
  chunks: AsyncIterable<Buffer>,
  headers: IncomingHttpHeaders,
): AsyncGenerator<PushItem, void, undefined> {
  let index = 0;
  let fields = new Map<string, string>();
  let fault: HeadwaterError | undefined;
  for await (const part of parts(chunks, headers)) {
    if (part.kind === "field") {
      if (part.truncated) fault = fieldTooLarge();
      fields.set(part.name, part.value);
      continue;
    }
    const item = fileItem(index, part, fields, fault);
    // A refused file is still read, as the next one stands behind it.
    if ("error" in item) part.stream.resume();
    yield item;
    index += 1;
    fields = new Map();
    fault = undefined;
  }
  if (index === 0) throw multipartInvalid("The body holds no file.");
}

function fileItem(
  index: number,
  part: Part & { kind: "file" },
  fields: ReadonlyMap<string, string>,
  fault: HeadwaterError | undefined,
): PushItem {
  try {
    if (fault) throw fault;
    const { id: named, ...given } = documentFieldsSchema.parse(fieldValues(fields));
    const { id } = idSchema.parse({ id: named ?? part.filename });
    const mediaType = part.mediaType === unknownMediaType ? {} : { mediaType: part.mediaType };
    return { index, document: { id, ...mediaType, ...describedBy(given), content: bytesOf(part.stream) } };
  } catch (thrown) {
    return { index, id: fields.get("id") ?? part.filename, error: toHeadwaterError(thrown) };
  }
}

/** @throws HeadwaterError HW_MULTIPART_INVALID where the body ends within the file */
async function* bytesOf(stream: BusboyFileStream): AsyncGenerator<Uint8Array> {
  try {
    yield* stream;
  } catch (thrown) {
    throw thrown instanceof HeadwaterError
      ? thrown
      : multipartInvalid("The body ends before the file does.", thrown);
  }
}

function fieldValues(fields: ReadonlyMap<string, string>): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, value] of fields) {
    if (name === "document") Object.assign(values, parseJson(value));
    else if (name === "attributes") values[name] = parseJson(value);
    else if (name === "version") values[name] = /^\d{1,16}$/.test(value) ? Number(value) : value;
    else values[name] = value;
  }
  return values;
}

async function* parts(
  chunks: AsyncIterable<Buffer>,
  headers: IncomingHttpHeaders,
): AsyncGenerator<Part, void, undefined> {
  const found = new BoundedQueue<Part>(Number.POSITIVE_INFINITY);
  const parser = openParser(headers);
  let file: BusboyFileStream | undefined;
  parser.on("field", (name, value, _nameTruncated, truncated) => {
    void found.push({ kind: "field", name, value, truncated });
  });
  parser.on("file", (_name, stream, filename, _encoding, mediaType) => {
    // Whoever reads the file sees its error; this keeps one that nobody reads any more from ending the process.
    stream.on("error", () => {});
    file = stream;
    void found.push({ kind: "file", filename: filename ?? "", mediaType, stream });
  });
  // The parser takes no further bytes while the file that it is in is not read, so the queue holds at most the parts
  // of one chunk.
  const parsed = pipeline(Readable.from(chunks), parser).then(
    () => found.end(),
    (thrown: unknown) => {
      const failure = thrown instanceof HeadwaterError ? thrown : multipartInvalid(undefined, thrown);
      // The parser ends with its source, but not the file that it was in: whoever reads that would wait for ever.
      file?.destroy(failure);
      found.end(failure);
    },
  );
  try {
    yield* found.read();
    await parsed;
  } finally {
    parser.destroy();
  }
}

function openParser(headers: IncomingHttpHeaders): BusboyInstance {
  try {
    return new Busboy({
      headers: { ...headers, "content-type": headers["content-type"] ?? "" },
      preservePath: true,
      limits: { fieldNameSize: maxFieldNameBytes, fieldSize: maxFieldBytes, headerPairs: 100 },
    });
  } catch (thrown) {
    throw multipartInvalid("The Content-Type has no boundary.", thrown);
  }
}

function multipartInvalid(
  message = "The body is not valid multipart/form-data.",
  cause?: unknown,
): HeadwaterError {
  return new HeadwaterError({
    code: status.INVALID_ARGUMENT,
    reason: "HW_MULTIPART_INVALID",
    message,
    action: "Send each document as a file part.",
    cause,
  });
}

function fieldTooLarge(): HeadwaterError {
  return invalidArgument("HW_FIELD_TOO_LARGE", `A field may have ${maxFieldBytes} bytes at most.`);
}
