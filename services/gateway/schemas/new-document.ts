import type { NewDocument } from "@headwater/client";
import { z } from "zod";
import { named } from "./registry.ts";

/** Bytes of UTF-8, as the contract bounds ids. */
const maxIdBytes = 512;

export const documentIdSchema = z
  .string()
  .min(1, "must not be empty")
  .refine((id) => Buffer.byteLength(id) <= maxIdBytes, `must have at most ${maxIdBytes} bytes`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  .refine((id) => !/[\u0000-\u001f\u007f]/.test(id), "must hold no control characters")
  .refine((id) => id.isWellFormed(), "must be well-formed Unicode");

const fields = {
  title: z.string().max(1024).optional(),
  uri: z.string().max(2048).optional(),
  media_type: z
    .string()
    .regex(/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(\s*;.*)?$/, "not a media type")
    .optional()
    .describe("Default: found by sniffing the content and the suffix of uri or id"),
  attributes: z
    .record(z.string().max(128), z.string().max(1024))
    .refine((attributes) => Object.keys(attributes).length <= 64, "at most 64 attributes")
    .optional()
    .describe("Free key-value pairs to filter on"),
  version: z
    .int()
    .min(0)
    .optional()
    .describe("Grows with each change. Default: the time of receipt in unix milliseconds"),
  observed_time: z.iso.datetime({ offset: true }).optional().describe("Default: the time of receipt"),
};

/** What can be said of a document whose content comes apart from it. */
export const documentFieldsSchema = z.strictObject({ id: documentIdSchema.optional(), ...fields });

export const newDocumentSchema = named(
  "NewDocument",
  z
    .strictObject({
      id: documentIdSchema,
      text: z.string().optional().describe("The content as text"),
      content_base64: z.base64().optional().describe("The content as bytes"),
      upload: z
        .string()
        .min(1)
        .max(512)
        .optional()
        .describe("The content as an upload that was created for this id by POST /v1/uploads"),
      ...fields,
    })
    .refine(
      ({ text, content_base64, upload }) =>
        [text, content_base64, upload].filter((content) => content !== undefined).length === 1,
      "exactly one of text, content_base64 and upload must be given",
    )
    .describe("A document with its content"),
);

/** A line of a BEIR corpus (https://github.com/beir-cellar/beir), so that its files can be sent as they are. */
export const beirDocumentSchema = named(
  "BeirDocument",
  z
    .object({
      _id: documentIdSchema,
      title: z.string().max(1024).optional(),
      text: z.string(),
      metadata: z.record(z.string(), z.unknown()).optional().describe("Its plain values become attributes"),
    })
    .describe("A line of a BEIR corpus"),
);

/** @throws z.ZodError */
export function readNewDocument(value: unknown): NewDocument {
  if (typeof value === "object" && value !== null && "_id" in value) return fromBeir(value);
  const { text, content_base64, upload, id, ...rest } = newDocumentSchema.parse(value);
  const described = describedBy(rest);
  if (upload !== undefined) return { id, ...described, content: "", upload };
  if (text === undefined) return { id, ...described, content: Buffer.from(content_base64 ?? "", "base64") };
  return { id, mediaType: "text/plain", ...described, content: text };
}

/** The fields of a document in the client's names. */
export function describedBy(given: Omit<z.output<typeof documentFieldsSchema>, "id">) {
  return {
    ...(given.title === undefined ? {} : { title: given.title }),
    ...(given.uri === undefined ? {} : { uri: given.uri }),
    ...(given.media_type === undefined ? {} : { mediaType: given.media_type }),
    ...(given.attributes === undefined ? {} : { attributes: given.attributes }),
    ...(given.version === undefined ? {} : { version: given.version }),
    ...(given.observed_time === undefined ? {} : { observedTime: new Date(given.observed_time) }),
  };
}

function fromBeir(value: object): NewDocument {
  const { _id, title, text, metadata } = beirDocumentSchema.parse(value);
  const attributes: Record<string, string> = {};
  for (const [key, found] of Object.entries(metadata ?? {}).slice(0, 64)) {
    if (typeof found === "string" || typeof found === "number" || typeof found === "boolean")
      attributes[key.slice(0, 128)] = String(found).slice(0, 1024);
  }
  return { id: _id, title: title ?? "", mediaType: "text/plain", attributes, content: text };
}

export const receiptSchema = named(
  "Receipt",
  z
    .object({
      index: z.number().describe("Place of the document in the request, from 0"),
      id: z.string().describe("Empty where the document was refused before its id was known"),
      version: z.number(),
      partition: z.number(),
      offset: z.number(),
      error: z
        .object({ reason: z.string(), message: z.string() })
        .optional()
        .describe("Set where the document was refused; then it is not in the log"),
    })
    .describe("The document is durable in the log; parsing and indexing follow"),
);
export type ReceiptJson = z.output<typeof receiptSchema>;
