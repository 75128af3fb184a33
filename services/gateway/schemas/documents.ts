import type { Document, DocumentMetadata, Failure, TextRange } from "@headwater/client";
import { documentStates } from "@headwater/client";
import { z } from "zod";
import { named } from "./registry.ts";

export const textRangeSchema = named(
  "TextRange",
  z
    .object({
      start: z.int().min(0).describe("First UTF-16 code unit"),
      end: z.int().min(0).describe("One past the last"),
    })
    .describe("A half-open range of a text in UTF-16 code units, as JavaScript counts characters"),
);

const time = z.iso.datetime().describe("RFC 3339, UTC");

const metadataFields = {
  id: z.string().describe("Unique within the tenant"),
  version: z.number().describe("Grows with each change; unix milliseconds by default"),
  title: z.string(),
  uri: z.string(),
  media_type: z.string(),
  attributes: z.record(z.string(), z.string()),
  observed_time: time.optional().describe("When the producer saw the document"),
};

export const metadataSchema = named("DocumentMetadata", z.object(metadataFields));

export const failureSchema = named(
  "Failure",
  z.object({
    stage: z.string().describe("read, parse, chunk, embed or index"),
    reason: z.string().describe("Stable, HW_…"),
    message: z.string(),
    attempts: z.number(),
  }),
);

export const stateSchema = named("DocumentState", z.enum(documentStates));

export const documentSchema = named(
  "Document",
  z.object({
    ...metadataFields,
    state: stateSchema,
    failure: failureSchema.optional().describe("Why, where the state is failed"),
    size_bytes: z.number().describe("Size of the original"),
    passages: z.number().describe("Passages in the indexes; 0 until indexed"),
    text_length: z.number().describe("Length of the extracted text in UTF-16 code units; 0 until parsed"),
    updated_time: time.optional().describe("Last change of state"),
    content_sha256: z.string().describe("SHA-256 of the original, lower-case hex"),
  }),
);

export const documentListSchema = named(
  "DocumentList",
  z.object({
    documents: z.array(documentSchema).describe("In order of id"),
    next_page_token: z.string().describe("For the next page; empty: this was the last"),
  }),
);

export const documentTextSchema = named(
  "DocumentText",
  z.object({
    metadata: metadataSchema,
    text: z.string(),
    range: textRangeSchema.describe("What was returned: the asked range, clamped to the text"),
    text_length: z.number().describe("Length of the whole text in UTF-16 code units"),
  }),
);

export const deletedSchema = named(
  "Deleted",
  z.object({ id: z.string(), partition: z.number(), offset: z.number() }),
);

export function metadataJson(metadata: DocumentMetadata): z.output<typeof metadataSchema> {
  return {
    id: metadata.id,
    version: metadata.version,
    title: metadata.title,
    uri: metadata.uri,
    media_type: metadata.mediaType,
    attributes: { ...metadata.attributes },
    observed_time: metadata.observedTime?.toISOString(),
  };
}

export function documentJson(document: Document): z.output<typeof documentSchema> {
  return {
    ...metadataJson(document),
    state: document.state,
    failure: document.failure && failureJson(document.failure),
    size_bytes: document.sizeBytes,
    passages: document.passages,
    text_length: document.textLength,
    updated_time: document.updatedTime?.toISOString(),
    content_sha256: document.contentSha256,
  };
}

export function failureJson({ stage, reason, message, attempts }: Failure): z.output<typeof failureSchema> {
  return { stage, reason, message, attempts };
}

export function rangeJson({ start, end }: TextRange): z.output<typeof textRangeSchema> {
  return { start, end };
}
