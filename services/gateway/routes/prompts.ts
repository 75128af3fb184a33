import { z } from "zod";
import type { App, Gateway } from "../gateway.ts";
import { callOptions } from "../request.ts";
import { pageOptions, pageQuery } from "../schemas/page.ts";
import {
  diffQuery,
  labelNameSchema,
  newPromptVersionSchema,
  promptDiffSchema,
  promptListSchema,
  promptNameSchema,
  promptObjectJson,
  promptSchema,
  promptSharesSchema,
  promptVersionJson,
  promptVersionListSchema,
  promptVersionSchema,
  renderedPromptSchema,
  renderRequestSchema,
} from "../schemas/prompts.ts";
import { doneSchema } from "../schemas/resource.ts";
import { defined } from "../schemas/search.ts";

const tags = ["prompts"];
const nameParams = z.strictObject({ name: promptNameSchema });
const labelParams = z.strictObject({ name: promptNameSchema, label: labelNameSchema });

export function promptRoutes(app: App, { client, config }: Gateway): void {
  const { prompts } = client;

  app.get(
    "/api/v1/prompts",
    {
      schema: {
        tags,
        summary: "The tenant's prompts, and those that come with Headwater, by name",
        querystring: pageQuery,
        response: { 200: promptListSchema },
      },
    },
    async (request) => {
      const options = { ...callOptions(request, config.timeoutMs), ...pageOptions(request.query) };
      const page = await prompts.list(options);
      return { prompts: page.prompts.map(promptObjectJson), next_page_token: page.nextPageToken };
    },
  );

  app.post(
    "/api/v1/prompts/render",
    {
      schema: {
        tags,
        summary: "A version of a prompt with its variables filled in",
        body: renderRequestSchema,
        response: { 200: renderedPromptSchema },
      },
    },
    async (request) => {
      const { prompt, variables = {} } = request.body;
      return prompts.render(prompt, variables, callOptions(request, config.timeoutMs));
    },
  );

  app.get(
    "/api/v1/prompts/:name",
    { schema: { tags, summary: "A prompt", params: nameParams, response: { 200: promptSchema } } },
    async (request) =>
      promptObjectJson(await prompts.get(request.params.name, callOptions(request, config.timeoutMs))),
  );

  app.delete(
    "/api/v1/prompts/:name",
    {
      schema: {
        tags,
        summary:
          "Deletes a prompt with all versions and labels; what comes with Headwater goes back to version 0",
        params: nameParams,
        response: { 200: doneSchema },
      },
    },
    async (request) => {
      await prompts.delete(request.params.name, callOptions(request, config.timeoutMs));
      return { id: request.params.name };
    },
  );

  app.get(
    "/api/v1/prompts/:name/versions",
    {
      schema: {
        tags,
        summary: "The versions of a prompt, newest first",
        params: nameParams,
        querystring: pageQuery,
        response: { 200: promptVersionListSchema },
      },
    },
    async (request) => {
      const options = { ...callOptions(request, config.timeoutMs), ...pageOptions(request.query) };
      const page = await prompts.versions(request.params.name, options);
      return { versions: page.versions.map(promptVersionJson), next_page_token: page.nextPageToken };
    },
  );

  app.post(
    "/api/v1/prompts/:name/versions",
    {
      schema: {
        tags,
        summary: "Adds a version; the first makes the prompt",
        params: nameParams,
        body: newPromptVersionSchema,
        response: { 201: promptVersionSchema },
      },
    },
    async (request, reply) => {
      const { text, note } = request.body;
      const options = { ...callOptions(request, config.timeoutMs), ...defined({ note }) };
      const made = await prompts.createVersion(request.params.name, text, options);
      return reply.code(201).send(promptVersionJson(made));
    },
  );

  app.get(
    "/api/v1/prompts/:name/diff",
    {
      schema: {
        tags,
        summary: "What differs between two versions",
        params: nameParams,
        querystring: diffQuery,
        response: { 200: promptDiffSchema },
      },
    },
    async (request) => {
      const { from, to } = request.query;
      const options = callOptions(request, config.timeoutMs);
      return { diff: await prompts.diff(request.params.name, from, to, options) };
    },
  );

  app.put(
    "/api/v1/prompts/:name/labels/:label",
    {
      schema: {
        tags,
        summary: "Points a label at a version, or splits it between several",
        params: labelParams,
        body: promptSharesSchema,
        response: { 200: promptSchema },
      },
    },
    async (request) => {
      const { name, label } = request.params;
      const options = callOptions(request, config.timeoutMs);
      return promptObjectJson(await prompts.setLabel(name, label, request.body.shares, options));
    },
  );

  app.post(
    "/api/v1/prompts/:name/labels/:label/rollback",
    {
      schema: {
        tags,
        summary: "Points a label at what it pointed at before",
        params: labelParams,
        response: { 200: promptSchema },
      },
    },
    async (request) => {
      const { name, label } = request.params;
      return promptObjectJson(
        await prompts.rollBackLabel(name, label, callOptions(request, config.timeoutMs)),
      );
    },
  );
}
