import type { App, Gateway } from "../gateway.ts";
import { callOptions } from "../request.ts";
import {
  agentJson,
  agentListSchema,
  agentSchema,
  changedAgentSchema,
  newAgent,
  newAgentSchema,
  toolJson,
  toolListSchema,
} from "../schemas/agents.ts";
import { pageOptions, pageQuery } from "../schemas/page.ts";
import { doneSchema, idParams } from "../schemas/resource.ts";
import { defined } from "../schemas/search.ts";

const tags = ["agents"];

export function agentRoutes(app: App, { client, config }: Gateway): void {
  const { agents } = client;

  app.get(
    "/api/v1/agents",
    {
      schema: {
        tags,
        summary: "The tenant's agents, by name",
        querystring: pageQuery,
        response: { 200: agentListSchema },
      },
    },
    async (request) => {
      const options = { ...callOptions(request, config.timeoutMs), ...pageOptions(request.query) };
      const page = await agents.list(options);
      return { agents: page.agents.map(agentJson), next_page_token: page.nextPageToken };
    },
  );

  app.post(
    "/api/v1/agents",
    { schema: { tags, summary: "Makes an agent", body: newAgentSchema, response: { 201: agentSchema } } },
    async (request, reply) => {
      const made = await agents.create(newAgent(request.body), callOptions(request, config.timeoutMs));
      return reply.code(201).send(agentJson(made));
    },
  );

  app.get(
    "/api/v1/agents/:id",
    { schema: { tags, summary: "An agent", params: idParams, response: { 200: agentSchema } } },
    async (request) => agentJson(await agents.get(request.params.id, callOptions(request, config.timeoutMs))),
  );

  app.put(
    "/api/v1/agents/:id",
    {
      schema: {
        tags,
        summary: "Replaces an agent whole; what is left out gets its default",
        params: idParams,
        body: changedAgentSchema,
        response: { 200: agentSchema },
      },
    },
    async (request) => {
      const { version, ...body } = request.body;
      const options = { ...callOptions(request, config.timeoutMs), ...defined({ version }) };
      return agentJson(await agents.update(request.params.id, newAgent(body), options));
    },
  );

  app.delete(
    "/api/v1/agents/:id",
    {
      schema: {
        tags,
        summary: "Deletes an agent; its conversations stay, and twice is harmless",
        params: idParams,
        response: { 200: doneSchema },
      },
    },
    async (request) => {
      await agents.delete(request.params.id, callOptions(request, config.timeoutMs));
      return { id: request.params.id };
    },
  );

  app.get(
    "/api/v1/tools",
    { schema: { tags, summary: "The tools that agents may have", response: { 200: toolListSchema } } },
    async (request) => {
      const { tools, unavailable } = await client.tools(callOptions(request, config.timeoutMs));
      return { tools: tools.map(toolJson), unavailable };
    },
  );
}
