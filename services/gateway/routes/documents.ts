import { Readable } from "node:stream";
import { documentStates } from "@headwater/client";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { App, Gateway } from "../gateway.ts";
import { errorBody, toHeadwaterError } from "../http-error.ts";
import { rawDocumentQuery, readPushBody, refusedError } from "../push-body.ts";
import { pushItems } from "../push-items.ts";
import { callOptions } from "../request.ts";
import {
  deletedSchema,
  documentJson,
  documentListSchema,
  documentSchema,
  documentTextSchema,
  metadataJson,
  rangeJson,
} from "../schemas/documents.ts";
import type { ReceiptJson } from "../schemas/new-document.ts";
import {
  beirDocumentSchema,
  documentIdSchema,
  newDocumentSchema,
  receiptSchema,
} from "../schemas/new-document.ts";

const tags = ["documents"];
const idParams = z.object({ id: documentIdSchema.describe("URL-encoded, slashes too") });
const integer = () => z.coerce.number<string>().int();
/** Offsets are uint32 in the contract. */
const maxOffset = 2 ** 32 - 1;

export function documentRoutes(app: App, gateway: Gateway): void {
  const { client, config } = gateway;

  app.get(
    "/v1/documents",
    {
      schema: {
        tags,
        summary: "Lists documents in order of id",
        querystring: z.strictObject({
          page_size: integer().min(1).max(1000).optional().describe("Default 100"),
          page_token: z.string().max(8192).optional(),
          id_prefix: z.string().max(512).optional(),
          state: z
            .union([z.enum(documentStates), z.array(z.enum(documentStates))])
            .optional()
            .describe("May be given more than once. Default: all but deleted"),
        }),
        response: { 200: documentListSchema },
      },
    },
    async (request) => {
      const { page_size, page_token, id_prefix, state } = request.query;
      const { documents, nextPageToken } = await client.documents.list({
        ...callOptions(request, config.timeoutMs),
        ...(page_size === undefined ? {} : { pageSize: page_size }),
        ...(page_token === undefined ? {} : { pageToken: page_token }),
        ...(id_prefix === undefined ? {} : { idPrefix: id_prefix }),
        states: state === undefined ? [] : [state].flat(),
      });
      return { documents: documents.map(documentJson), next_page_token: nextPageToken };
    },
  );

  app.get(
    "/v1/documents/:id",
    {
      schema: {
        tags,
        summary: "A document and how far it has come",
        params: idParams,
        response: { 200: documentSchema },
      },
    },
    async (request) =>
      documentJson(await client.documents.get(request.params.id, callOptions(request, config.timeoutMs))),
  );

  app.delete(
    "/v1/documents/:id",
    {
      schema: {
        tags,
        summary: "Deletes a document; twice is harmless",
        params: idParams,
        response: { 200: deletedSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      return { id, ...(await client.documents.delete(id, callOptions(request, config.timeoutMs))) };
    },
  );

  app.get(
    "/v1/documents/:id/text",
    {
      schema: {
        tags,
        summary: "The text that was extracted, which citations and passages point into",
        params: idParams,
        querystring: z.strictObject({
          start: integer().min(0).max(maxOffset).optional().describe("First UTF-16 code unit. Default 0"),
          end: integer()
            .min(0)
            .max(maxOffset)
            .optional()
            .describe("One past the last. Default: 1,048,576 after start"),
          version: integer().min(0).optional().describe("Default: the newest that is indexed"),
        }),
        response: { 200: documentTextSchema },
      },
    },
    async (request) => {
      const { start = 0, end, version } = request.query;
      const ranged = start > 0 || end !== undefined;
      const text = await client.documents.text(request.params.id, {
        ...callOptions(request, config.timeoutMs),
        ...(version === undefined ? {} : { version }),
        ...(ranged ? { range: { start, end: end ?? Math.min(maxOffset, start + 1_048_576) } } : {}),
      });
      return {
        metadata: metadataJson(text.metadata),
        text: text.text,
        range: rangeJson(text.range),
        text_length: text.textLength,
      };
    },
  );

  app.get(
    "/v1/documents/:id/original",
    {
      schema: {
        tags,
        summary: "The bytes as they were pushed, or a redirect to where they can be had for some minutes",
        params: idParams,
        produces: { "application/octet-stream": { description: "The original" } },
      },
    },
    (request, reply) => sendOriginal(gateway, request, reply, request.params.id),
  );
}

/** Pushes; in a scope of their own, as their bodies are streams that no parser may touch. */
export function pushRoutes(app: App, gateway: Gateway): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _body, done) => done(null));
  const schema = {
    tags,
    querystring: rawDocumentQuery,
    consumes: {
      "application/json": {
        description: "One document, or an array of them",
        schema: z.union([newDocumentSchema, beirDocumentSchema, z.array(newDocumentSchema)]),
      },
      "application/x-ndjson": { description: "A document a line; lines of a BEIR corpus are taken too" },
      "multipart/form-data": {
        description:
          "A document a file, streamed. Fields before a file say what it is: id, title, uri, media_type, version, " +
          "observed_time, attributes (a JSON object), or document with all of them as one JSON object. Without an " +
          "id the file name is taken.",
      },
      "application/octet-stream": {
        description: "With ?id=: the bytes of one document, of any media type, streamed",
      },
    },
    produces: {
      "application/x-ndjson": {
        description:
          "For many documents: a receipt a line, as each comes. Should the push fail as a whole, the last line is an Error.",
        schema: receiptSchema,
      },
    },
    response: {
      200: z.array(receiptSchema).describe("Many documents, where Accept says application/json"),
      202: receiptSchema,
    },
  };
  app.post(
    "/v1/documents",
    { schema: { ...schema, summary: "Pushes documents; receipts stream back" } },
    (request, reply) => push(gateway, request, reply, request.query),
  );
  for (const url of ["/index", "/api/v1/documents/upload", "/api/v1/documents/index"])
    app.post(url, { schema: { ...schema, summary: "The same as POST /v1/documents" } }, (request, reply) =>
      push(gateway, request, reply, request.query),
    );
}

async function push(
  { client, config }: Gateway,
  request: FastifyRequest,
  reply: FastifyReply,
  query: z.output<typeof rawDocumentQuery>,
): Promise<FastifyReply> {
  const body = await readPushBody(request, query, config);
  const options = callOptions(request);
  if (body.kind === "one") {
    for await (const { error, ...receipt } of client.documents.push([body.document], options)) {
      if (error) throw refusedError(error);
      return reply.code(202).send({ index: 0, ...receipt });
    }
    throw new TypeError("a push of one document ended without a receipt");
  }
  const receipts = pushItems(client, body.items, options);
  // An error that comes before the first receipt still gets an HTTP status of its own.
  const first = await receipts.next();
  const asArray = /\bapplication\/json\b/.test(request.headers.accept ?? "");
  return reply
    .header(
      "content-type",
      asArray ? "application/json; charset=utf-8" : "application/x-ndjson; charset=utf-8",
    )
    .header("cache-control", "no-store")
    .send(Readable.from(written(request, first, receipts, asArray), { highWaterMark: 1 }));
}

async function* written(
  request: FastifyRequest,
  first: IteratorResult<ReceiptJson, void>,
  receipts: AsyncGenerator<ReceiptJson, void>,
  asArray: boolean,
): AsyncGenerator<string> {
  let separator = asArray ? "[\n" : "";
  const line = (value: object) => {
    const text = separator + JSON.stringify(value) + (asArray ? "" : "\n");
    if (asArray) separator = ",\n";
    return text;
  };
  try {
    for (let step = first; !step.done; step = await receipts.next()) yield line(step.value);
  } catch (thrown) {
    request.failure = toHeadwaterError(thrown);
    yield line(errorBody(request.failure, request.id));
  } finally {
    await receipts.return();
  }
  if (asArray) yield separator === "[\n" ? "[]\n" : "\n]\n";
}

async function sendOriginal(
  { client }: Gateway,
  request: FastifyRequest,
  reply: FastifyReply,
  id: string,
): Promise<FastifyReply> {
  const pieces = client.documents.original(id, { ...callOptions(request), preferUrl: true });
  const first = await pieces.next();
  const url = first.done ? undefined : first.value.url;
  if (url !== undefined) {
    await pieces.return();
    return reply.header("cache-control", "no-store").redirect(url, 302);
  }
  const mediaType = first.done ? undefined : first.value.metadata?.mediaType;
  return (
    reply
      .header("content-type", safeMediaType(mediaType))
      // Someone's document must never run as a page of this origin.
      .header("content-security-policy", "sandbox; default-src 'none'")
      .header("content-disposition", `attachment; filename*=UTF-8''${encodeURIComponent(fileName(id))}`)
      .send(
        Readable.from(
          (async function* () {
            for (let step = first; !step.done; step = await pieces.next()) yield step.value.data;
          })(),
          { highWaterMark: 1 },
        ),
      )
  );
}

function safeMediaType(mediaType: string | undefined): string {
  return mediaType && /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(mediaType)
    ? mediaType
    : "application/octet-stream";
}

function fileName(id: string): string {
  return (id.split("/").at(-1) || "document").slice(-200);
}
