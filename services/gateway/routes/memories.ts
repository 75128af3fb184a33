import type { App, Gateway } from "../gateway.ts";
import { callOptions } from "../request.ts";
import {
  correctMemoryRequestSchema,
  decisionJson,
  forgottenSchema,
  foundMemoriesSchema,
  memoryDecisionSchema,
  memoryJson,
  memoryListSchema,
  memorySchema,
  rememberRequestSchema,
  searchMemoriesRequestSchema,
} from "../schemas/memories.ts";
import { pageOptions, pageQuery } from "../schemas/page.ts";
import { doneSchema, idParams } from "../schemas/resource.ts";
import { defined } from "../schemas/search.ts";

const tags = ["memories"];

export function memoryRoutes(app: App, { client, config }: Gateway): void {
  const { memories } = client;

  app.get(
    "/api/v1/memories",
    {
      schema: {
        tags,
        summary: "What is remembered of the caller, newest first",
        querystring: pageQuery,
        response: { 200: memoryListSchema },
      },
    },
    async (request) => {
      const options = { ...callOptions(request, config.timeoutMs), ...pageOptions(request.query) };
      const page = await memories.list(options);
      return { memories: page.memories.map(memoryJson), next_page_token: page.nextPageToken };
    },
  );

  app.post(
    "/api/v1/memories",
    {
      schema: {
        tags,
        summary: "Weighs a statement, and keeps it if it surprises",
        body: rememberRequestSchema,
        response: { 200: memoryDecisionSchema },
      },
    },
    async (request) => {
      const options = callOptions(request, config.timeoutMs);
      return decisionJson(await memories.remember(request.body.statement, options));
    },
  );

  app.delete(
    "/api/v1/memories",
    { schema: { tags, summary: "Forgets all of the caller's memories", response: { 200: forgottenSchema } } },
    async (request) => ({ forgotten: await memories.forgetAll(callOptions(request, config.timeoutMs)) }),
  );

  app.post(
    "/api/v1/memories/search",
    {
      schema: {
        tags,
        summary: "The memories nearest to a text",
        body: searchMemoriesRequestSchema,
        response: { 200: foundMemoriesSchema },
      },
    },
    async (request) => {
      const { query, limit } = request.body;
      const options = { ...callOptions(request, config.timeoutMs), ...defined({ limit }) };
      return { memories: (await memories.search(query, options)).map(memoryJson) };
    },
  );

  app.put(
    "/api/v1/memories/:id",
    {
      schema: {
        tags,
        summary: "Puts other words in a memory's place",
        params: idParams,
        body: correctMemoryRequestSchema,
        response: { 200: memorySchema },
      },
    },
    async (request) => {
      const options = callOptions(request, config.timeoutMs);
      return memoryJson(await memories.correct(request.params.id, request.body.text, options));
    },
  );

  app.delete(
    "/api/v1/memories/:id",
    {
      schema: {
        tags,
        summary: "Forgets a memory in every store; twice is harmless",
        params: idParams,
        response: { 200: doneSchema },
      },
    },
    async (request) => {
      await memories.forget(request.params.id, callOptions(request, config.timeoutMs));
      return { id: request.params.id };
    },
  );
}
