import type { NewDocument } from "@headwater/client";
import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { bodyStream, readWhole } from "./body-stream.ts";
import { toHeadwaterError } from "./http-error.ts";
import { jsonLinesItems, parseJson } from "./json-lines.ts";
import { multipartItems } from "./multipart.ts";
import type { PushItem } from "./push-items.ts";
import { describedBy, documentIdSchema, readNewDocument } from "./schemas/new-document.ts";

/** What a body holds: one document, or as many as come. */
export type PushBody =
  | { readonly kind: "one"; readonly document: NewDocument }
  | { readonly kind: "many"; readonly items: AsyncIterable<PushItem> };

/** What describes a document whose bytes are the body itself. */
export const rawDocumentQuery = z.strictObject({
  id: documentIdSchema.optional().describe("Id of the document, where the body is its content"),
  title: z.string().max(1024).optional(),
  uri: z.string().max(2048).optional(),
  version: z.coerce.number<string>().int().min(0).optional(),
});

/**
 * Reads the body of a push by its Content-Type: multipart/form-data, JSON Lines, JSON (one document, or an array), or,
 * with `?id=`, the bytes of one document.
 *
 * @throws HeadwaterError for a body that is no push at all; what is wrong with one of many is told in its item
 */
export async function readPushBody(
  request: FastifyRequest,
  query: z.output<typeof rawDocumentQuery>,
  bounds: { maxJsonBytes: number; idleTimeoutMs: number },
): Promise<PushBody> {
  const chunks = bodyStream(request.raw, bounds.idleTimeoutMs);
  const mediaType = (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  const { id, ...described } = query;
  if (id !== undefined) {
    const type = mediaType === "" || mediaType === "application/octet-stream" ? {} : { mediaType };
    return { kind: "one", document: { id, ...type, ...describedBy(described), content: chunks } };
  }
  switch (mediaType) {
    case "multipart/form-data":
      return { kind: "many", items: multipartItems(chunks, request.headers) };
    case "application/x-ndjson":
    case "application/jsonl":
    case "application/jsonlines":
      return { kind: "many", items: jsonLinesItems(chunks, bounds.maxJsonBytes) };
    case "application/json":
      return jsonBody((await readWhole(chunks, bounds.maxJsonBytes)).toString("utf8"));
    default:
      throw mediaTypeUnsupported();
  }
}

function jsonBody(json: string): PushBody {
  const value = parseJson(json);
  if (!Array.isArray(value)) return { kind: "one", document: readNewDocument(value) };
  return { kind: "many", items: arrayItems(value) };
}

async function* arrayItems(values: readonly unknown[]): AsyncGenerator<PushItem> {
  for (const [index, value] of values.entries()) {
    try {
      yield { index, document: readNewDocument(value) };
    } catch (thrown) {
      yield { index, id: idOf(value), error: toHeadwaterError(thrown) };
    }
  }
}

function idOf(value: unknown): string {
  if (typeof value !== "object" || value === null || !("id" in value)) return "";
  return typeof value.id === "string" ? value.id.slice(0, 512) : "";
}

function mediaTypeUnsupported(): HeadwaterError {
  return new HeadwaterError({
    code: status.INVALID_ARGUMENT,
    reason: "HW_MEDIA_TYPE_UNSUPPORTED",
    message: "The Content-Type says neither what documents these are nor is there an id.",
    action:
      "Send multipart/form-data, application/x-ndjson or application/json, or the bytes of one document with ?id=.",
  });
}

/** The receipt of a single document that was refused, as the error of its request. */
export function refusedError(error: { reason: string; message: string }): HeadwaterError {
  const reason = error.reason.startsWith("HW_") ? (error.reason as `HW_${string}`) : "HW_DOCUMENT_REFUSED";
  return invalidArgument(reason, error.message);
}
