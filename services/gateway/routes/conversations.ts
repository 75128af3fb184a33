import type { App, Gateway } from "../gateway.ts";
import { callOptions } from "../request.ts";
import {
  conversationJson,
  conversationListSchema,
  conversationSchema,
  exportedConversationSchema,
  forkRequestSchema,
  messageJson,
  messageListSchema,
  newConversationSchema,
  renameRequestSchema,
} from "../schemas/conversations.ts";
import { pageOptions, pageQuery } from "../schemas/page.ts";
import { doneSchema, idParams } from "../schemas/resource.ts";
import { defined } from "../schemas/search.ts";

const tags = ["conversations"];

export function conversationRoutes(app: App, { client, config }: Gateway): void {
  const { conversations } = client;

  app.get(
    "/api/v1/conversations",
    {
      schema: {
        tags,
        summary: "The caller's conversations, last used first",
        querystring: pageQuery,
        response: { 200: conversationListSchema },
      },
    },
    async (request) => {
      const options = { ...callOptions(request, config.timeoutMs), ...pageOptions(request.query) };
      const page = await conversations.list(options);
      return {
        conversations: page.conversations.map(conversationJson),
        next_page_token: page.nextPageToken,
      };
    },
  );

  app.post(
    "/api/v1/conversations",
    {
      schema: {
        tags,
        summary: "Makes an empty conversation",
        body: newConversationSchema,
        response: { 201: conversationSchema },
      },
    },
    async (request, reply) => {
      const { title, agent_id: agentId } = request.body;
      const options = { ...callOptions(request, config.timeoutMs), ...defined({ title, agentId }) };
      return reply.code(201).send(conversationJson(await conversations.create(options)));
    },
  );

  app.get(
    "/api/v1/conversations/:id",
    { schema: { tags, summary: "A conversation", params: idParams, response: { 200: conversationSchema } } },
    async (request) =>
      conversationJson(await conversations.get(request.params.id, callOptions(request, config.timeoutMs))),
  );

  app.patch(
    "/api/v1/conversations/:id",
    {
      schema: {
        tags,
        summary: "Gives a conversation another title",
        params: idParams,
        body: renameRequestSchema,
        response: { 200: conversationSchema },
      },
    },
    async (request) => {
      const options = callOptions(request, config.timeoutMs);
      return conversationJson(await conversations.rename(request.params.id, request.body.title, options));
    },
  );

  app.delete(
    "/api/v1/conversations/:id",
    {
      schema: {
        tags,
        summary: "Deletes a conversation with all messages and turns; twice is harmless",
        params: idParams,
        response: { 200: doneSchema },
      },
    },
    async (request) => {
      await conversations.delete(request.params.id, callOptions(request, config.timeoutMs));
      return { id: request.params.id };
    },
  );

  app.get(
    "/api/v1/conversations/:id/messages",
    {
      schema: {
        tags,
        summary: "The messages of a conversation, oldest first",
        params: idParams,
        querystring: pageQuery,
        response: { 200: messageListSchema },
      },
    },
    async (request) => {
      const options = { ...callOptions(request, config.timeoutMs), ...pageOptions(request.query) };
      const page = await conversations.messages(request.params.id, options);
      return {
        messages: page.messages.map(messageJson),
        next_page_token: page.nextPageToken,
        active_turn_id: page.activeTurnId,
      };
    },
  );

  app.post(
    "/api/v1/conversations/:id/fork",
    {
      schema: {
        tags,
        summary: "Copies a conversation up to a message into a new one",
        params: idParams,
        body: forkRequestSchema,
        response: { 201: conversationSchema },
      },
    },
    async (request, reply) => {
      const { message_id: messageId, title } = request.body;
      const options = { ...callOptions(request, config.timeoutMs), ...defined({ messageId, title }) };
      return reply.code(201).send(conversationJson(await conversations.fork(request.params.id, options)));
    },
  );

  app.get(
    "/api/v1/conversations/:id/export",
    {
      schema: {
        tags,
        summary: "A conversation whole, for keeping elsewhere",
        params: idParams,
        response: { 200: exportedConversationSchema },
      },
    },
    async (request) => {
      const options = callOptions(request, config.timeoutMs);
      const { conversation, messages } = await conversations.export(request.params.id, options);
      return { conversation: conversationJson(conversation), messages: messages.map(messageJson) };
    },
  );
}
