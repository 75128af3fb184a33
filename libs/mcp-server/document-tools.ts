import { documentStates } from "@headwater/client";
import type { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { callOptions, toolResult } from "./call.ts";
import type { McpServerOptions } from "./mcp-server.ts";
import { documentFields, documentOf, readOnly } from "./schemas.ts";

/** UTF-16 code units that one call brings where no end is given: about 10,000 tokens. */
const defaultLength = 40_000;
const maxLength = 400_000;

const fetchInput = z.object({
  document_id: z.string().min(1).max(512),
  start: z.int().min(0).default(0).describe("First UTF-16 code unit of the text"),
  end: z.int().min(1).optional().describe(`One past the last. Default: ${defaultLength} after start`),
});

const fetchOutput = z.object({
  ...documentFields,
  text: z.string(),
  start: z.int(),
  end: z.int(),
  text_length: z
    .int()
    .describe("Of the whole document; where it is more than end, ask again with start = end"),
});

const listInput = z.object({
  id_prefix: z.string().max(512).optional().describe("Only ids that start so, such as a folder"),
  page_size: z.int().min(1).max(200).default(50),
  page_token: z.string().max(8192).optional().describe("next_page_token of the page before"),
});

const listOutput = z.object({
  documents: z.array(
    z.object({
      ...documentFields,
      media_type: z.string(),
      state: z.enum(documentStates),
      text_length: z.int().describe("In UTF-16 code units; 0 until it has been read"),
    }),
  ),
  next_page_token: z.string().describe("Empty: this was the last page"),
});

/** `fetch_document` and `list_documents`. */
export function addDocumentTools(server: McpServer, options: McpServerOptions): void {
  const { documents } = options.client;
  server.registerTool(
    "fetch_document",
    {
      title: "Read a document",
      description:
        "Gives the text of a document, or a part of it by offsets as search and list_documents tell them. Long documents come in " +
        "pieces: ask again from where the piece ended.",
      inputSchema: fetchInput,
      outputSchema: fetchOutput,
      annotations: readOnly,
    },
    ({ document_id: id, start, end = start + defaultLength }, context) =>
      toolResult(
        async () => {
          const range = { start, end: Math.min(end, start + maxLength) };
          const { metadata, text, ...found } = await documents.text(id, {
            ...callOptions(options, context),
            range,
          });
          const place = { start: found.range.start, end: found.range.end, text_length: found.textLength };
          return { ...documentOf(metadata), text, ...place };
        },
        ({ title, text, start: from, end: to, text_length: length }) =>
          `${title} (${from} to ${to} of ${length})\n\n${text}`,
      ),
  );
  server.registerTool(
    "list_documents",
    {
      title: "List the documents",
      description:
        "Lists the user's documents in order of id, with their titles. To find what they say, search.",
      inputSchema: listInput,
      outputSchema: listOutput,
      annotations: readOnly,
    },
    ({ id_prefix: idPrefix = "", page_size: pageSize, page_token: pageToken = "" }, context) =>
      toolResult(
        async () => {
          const call = { ...callOptions(options, context), idPrefix, pageSize, pageToken };
          const page = await documents.list(call);
          return {
            documents: page.documents.map((document) => ({
              ...documentOf(document),
              media_type: document.mediaType,
              state: document.state,
              text_length: document.textLength,
            })),
            next_page_token: page.nextPageToken,
          };
        },
        ({ documents: listed, next_page_token: token }) =>
          [
            ...listed.map(({ document_id, title, state }) => `${document_id}: ${title} (${state})`),
            ...(listed.length === 0 ? ["There are no documents."] : []),
            ...(token === "" ? [] : [`More with page_token ${token}`]),
          ].join("\n"),
      ),
  );
}
