import type { JsonObject } from "@bufbuild/protobuf";
import type { SubmitJobOptions } from "@headwater/client";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { serverDraining } from "../drain.ts";
import type { App, Gateway } from "../gateway.ts";
import { callOptions } from "../request.ts";
import { chatJobRequestSchema } from "../schemas/chat.ts";
import {
  jobJson,
  jobListSchema,
  jobSchema,
  jobsQuery,
  newJobSchema,
  newScheduleSchema,
  scheduleJson,
  scheduleListSchema,
  scheduleNameSchema,
  scheduleSchema,
  submitOptions,
} from "../schemas/jobs.ts";
import { pageOptions } from "../schemas/page.ts";
import { doneSchema, idParams } from "../schemas/resource.ts";
import { defined } from "../schemas/search.ts";
import type { ServerSentEvent } from "../sse.ts";
import { sendEvents, wantsEvents } from "../sse.ts";

const tags = ["jobs"];
const scheduleParams = z.strictObject({ name: scheduleNameSchema });
const submitted = {
  200: jobSchema.describe("There was one with this key already"),
  202: jobSchema.describe("The job is in the queue"),
};
const watched = {
  description:
    "With Accept: text/event-stream the job comes each time that it changes, until it ends, as events `job` (Job); " +
    "`error` (Error) ends a stream that failed or is drained.",
  params: idParams,
  response: { 200: jobSchema },
  produces: { "text/event-stream": { description: "job, error", schema: jobSchema } },
};

export function jobRoutes(app: App, gateway: Gateway): void {
  const { client, config } = gateway;
  const { jobs } = client;

  app.post(
    "/api/v1/chat/async",
    {
      schema: {
        tags: ["chat"],
        summary: "One turn in the background: a job of the kind `chat`",
        body: chatJobRequestSchema,
        response: submitted,
      },
    },
    (request, reply) => {
      const { idempotency_key: idempotencyKey, ...input } = request.body;
      // What was parsed as JSON is JSON.
      const asJson = input as unknown as JsonObject;
      return submit(gateway, request, reply, "chat", asJson, defined({ idempotencyKey }));
    },
  );
  app.get(
    "/api/v1/chat/jobs/:id",
    { schema: { tags: ["chat"], summary: "A turn in the background, and what came of it", ...watched } },
    (request, reply) => sendJob(gateway, request, reply, request.params.id),
  );

  app.get(
    "/api/v1/jobs",
    {
      schema: {
        tags,
        summary: "The tenant's jobs, newest first",
        querystring: jobsQuery,
        response: { 200: jobListSchema },
      },
    },
    async (request) => {
      const { state, kind, ...page } = request.query;
      const found = await jobs.list({
        ...callOptions(request, config.timeoutMs),
        ...pageOptions(page),
        ...defined({ kind }),
        states: state === undefined ? [] : [state].flat(),
      });
      return { jobs: found.jobs.map(jobJson), next_page_token: found.nextPageToken };
    },
  );
  app.post(
    "/api/v1/jobs",
    { schema: { tags, summary: "Puts a job into the queue", body: newJobSchema, response: submitted } },
    (request, reply) => {
      const { kind, input = {}, ...body } = request.body;
      return submit(gateway, request, reply, kind, input, submitOptions(body));
    },
  );
  app.get("/api/v1/jobs/:id", { schema: { tags, summary: "A job", ...watched } }, (request, reply) =>
    sendJob(gateway, request, reply, request.params.id),
  );
  app.post(
    "/api/v1/jobs/:id/cancel",
    {
      schema: {
        tags,
        summary: "Ends a job: one that waits never starts, one that runs is told to stop",
        params: idParams,
        response: { 200: jobSchema },
      },
    },
    async (request) => jobJson(await jobs.cancel(request.params.id, callOptions(request, config.timeoutMs))),
  );
  app.post(
    "/api/v1/jobs/:id/retry",
    {
      schema: {
        tags,
        summary: "Puts a job that failed or was cancelled into the queue again",
        params: idParams,
        response: { 200: jobSchema },
      },
    },
    async (request) => jobJson(await jobs.retry(request.params.id, callOptions(request, config.timeoutMs))),
  );

  app.get(
    "/api/v1/jobs/schedules",
    { schema: { tags, summary: "The tenant's schedules, by name", response: { 200: scheduleListSchema } } },
    async (request) => {
      const schedules = await jobs.schedules.list(callOptions(request, config.timeoutMs));
      return { schedules: schedules.map(scheduleJson) };
    },
  );
  app.put(
    "/api/v1/jobs/schedules/:name",
    {
      schema: {
        tags,
        summary: "Makes or replaces a schedule, which submits jobs again and again",
        params: scheduleParams,
        body: newScheduleSchema,
        response: { 200: scheduleSchema },
      },
    },
    async (request) => {
      const { cron, kind, time_zone: timeZone, input } = request.body;
      const schedule = { name: request.params.name, cron, kind, ...defined({ timeZone, input }) };
      return scheduleJson(await jobs.schedules.set(schedule, callOptions(request, config.timeoutMs)));
    },
  );
  app.delete(
    "/api/v1/jobs/schedules/:name",
    {
      schema: {
        tags,
        summary: "Deletes a schedule; jobs that it has made stay, and twice is harmless",
        params: scheduleParams,
        response: { 200: doneSchema },
      },
    },
    async (request) => {
      await jobs.schedules.delete(request.params.name, callOptions(request, config.timeoutMs));
      return { id: request.params.name };
    },
  );
}

async function submit(
  { client, config }: Gateway,
  request: FastifyRequest,
  reply: FastifyReply,
  kind: string,
  input: JsonObject,
  options: SubmitJobOptions,
): Promise<FastifyReply> {
  const call = { ...callOptions(request, config.timeoutMs), ...options };
  const { job, existed } = await client.jobs.submit(kind, input, call);
  const path = kind === "chat" ? "/api/v1/chat/jobs" : "/api/v1/jobs";
  return reply
    .code(existed ? 200 : 202)
    .header("location", `${path}/${job.id}`)
    .send(jobJson(job));
}

async function sendJob(
  gateway: Gateway,
  request: FastifyRequest,
  reply: FastifyReply,
  id: string,
): Promise<FastifyReply> {
  const { client, config } = gateway;
  if (wantsEvents(request))
    return sendEvents(request, reply, jobEvents(gateway, request, id), config.heartbeatMs);
  return reply.send(jobJson(await client.jobs.get(id, callOptions(request, config.timeoutMs))));
}

async function* jobEvents(
  { client, drain }: Gateway,
  request: FastifyRequest,
  id: string,
): AsyncGenerator<ServerSentEvent> {
  const options = callOptions(request);
  const signal = AbortSignal.any([options.signal, drain.signal]);
  try {
    for await (const job of client.jobs.watch(id, { ...options, signal }))
      yield { event: "job", data: jobJson(job) };
  } catch (thrown) {
    throw drain.signal.aborted ? serverDraining() : thrown;
  }
}
