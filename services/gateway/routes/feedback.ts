import { Readable } from "node:stream";
import type { FeedbackLine } from "@headwater/client";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { App, Gateway } from "../gateway.ts";
import { errorBody, toHeadwaterError } from "../http-error.ts";
import { callOptions } from "../request.ts";
import {
  feedbackJson,
  feedbackLineSchema,
  feedbackListSchema,
  feedbackQuery,
  feedbackSchema,
  newFeedback,
  newFeedbackSchema,
} from "../schemas/feedback.ts";
import { pageOptions } from "../schemas/page.ts";
import { doneSchema, idParams } from "../schemas/resource.ts";
import { defined } from "../schemas/search.ts";

const tags = ["feedback"];

export function feedbackRoutes(app: App, { client, config }: Gateway): void {
  const { feedback } = client;

  app.get(
    "/api/v1/feedback",
    {
      schema: {
        tags,
        summary: "What people say of answers and hits, newest first",
        querystring: feedbackQuery,
        response: { 200: feedbackListSchema },
      },
    },
    async (request) => {
      const { answer_id: answerId, ...page } = request.query;
      const found = await feedback.list({
        ...callOptions(request, config.timeoutMs),
        ...pageOptions(page),
        ...defined({ answerId }),
      });
      return { feedback: found.feedback.map(feedbackJson), next_page_token: found.nextPageToken };
    },
  );

  app.post(
    "/api/v1/feedback",
    {
      schema: {
        tags,
        summary: "Says something of an answer or a hit; again on the same subject replaces it",
        body: newFeedbackSchema,
        response: { 201: feedbackSchema },
      },
    },
    async (request, reply) => {
      const given = await feedback.give(newFeedback(request.body), callOptions(request, config.timeoutMs));
      return reply.code(201).send(feedbackJson(given));
    },
  );

  app.get(
    "/api/v1/feedback/export",
    {
      schema: {
        tags,
        summary: "All feedback as an evaluation set, which `headwater eval` reads",
        produces: {
          "application/x-ndjson": {
            description: "A line of one of its files a line. Should it fail, the last line is an Error.",
            schema: feedbackLineSchema,
          },
        },
      },
    },
    async (request, reply) => sendLines(request, reply, feedback.export(callOptions(request))),
  );

  app.delete(
    "/api/v1/feedback/:id",
    {
      schema: {
        tags,
        summary: "Takes feedback back; twice is harmless",
        params: idParams,
        response: { 200: doneSchema },
      },
    },
    async (request) => {
      await feedback.delete(request.params.id, callOptions(request, config.timeoutMs));
      return { id: request.params.id };
    },
  );
}

async function sendLines(
  request: FastifyRequest,
  reply: FastifyReply,
  lines: AsyncGenerator<FeedbackLine, void>,
): Promise<FastifyReply> {
  // An error that comes before the first line still gets an HTTP status of its own.
  const first = await lines.next();
  const written = async function* () {
    try {
      for (let step = first; !step.done; step = await lines.next()) yield `${JSON.stringify(step.value)}\n`;
    } catch (thrown) {
      request.failure = toHeadwaterError(thrown);
      yield `${JSON.stringify(errorBody(request.failure, request.id))}\n`;
    } finally {
      await lines.return();
    }
  };
  return reply
    .header("content-type", "application/x-ndjson; charset=utf-8")
    .header("cache-control", "no-store")
    .send(Readable.from(written(), { highWaterMark: 1 }));
}
