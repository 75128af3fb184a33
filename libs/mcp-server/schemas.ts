import type { DocumentMetadata, Filter, Hit } from "@headwater/client";
import { z } from "zod";

export const readOnly = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
};

export const filterSchema = z
  .object({
    attributes: z
      .record(z.string(), z.array(z.string()))
      .optional()
      .describe("By attribute: values that it may have"),
    media_types: z.array(z.string()).optional().describe("Such as application/pdf"),
    document_ids: z.array(z.string()).max(1000).optional(),
  })
  .describe("Narrows the documents; fields are joined by AND, values of one field by OR");

export function toFilter(filter: z.output<typeof filterSchema> | undefined): Filter | undefined {
  if (filter === undefined) return undefined;
  return {
    ...(filter.attributes ? { attributes: filter.attributes } : {}),
    ...(filter.media_types ? { mediaTypes: filter.media_types } : {}),
    ...(filter.document_ids ? { documentIds: filter.document_ids } : {}),
  };
}

export const documentFields = {
  document_id: z.string().describe("For fetch_document"),
  title: z.string(),
  uri: z.string().describe("Where the document came from; may be empty"),
};

export function documentOf({ id, title, uri }: DocumentMetadata) {
  return { document_id: id, title: title || id, uri };
}

export const passageSchema = z.object({
  ...documentFields,
  text: z.string(),
  page: z.int().describe("From 1; 0: the format has no pages"),
  heading_path: z.array(z.string()).describe("Headings above the passage, outermost first"),
  start: z.int().describe("First UTF-16 code unit in the document's text, for fetch_document"),
  end: z.int().describe("One past the last"),
});

export function passageOf(hit: Hit): z.output<typeof passageSchema> {
  return {
    ...documentOf(hit.document),
    text: hit.text,
    page: hit.page,
    heading_path: [...hit.headingPath],
    start: hit.range.start,
    end: hit.range.end,
  };
}

/** How a passage's place is named to a reader: "Tides, p. 2, Sea › Tides". */
export function placeOf(passage: z.output<typeof passageSchema>): string {
  const { title, page, heading_path: headings } = passage;
  return [title, page > 0 ? `p. ${page}` : "", headings.join(" › ")].filter(Boolean).join(", ");
}
