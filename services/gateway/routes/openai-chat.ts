import type { HeadwaterClient } from "@headwater/client";
import { HeadwaterError, status } from "@headwater/errors";
import type { FastifyRequest } from "fastify";
import { askedBy, completionChunks, wholeCompletion } from "../chat-completion.ts";
import type { App, Gateway } from "../gateway.ts";
import { openAiErrorBody } from "../openai-error.ts";
import { callOptions } from "../request.ts";
import type { ChatCompletionChunk } from "../schemas/openai-chat.ts";
import {
  chatCompletionChunkSchema,
  chatCompletionRequestSchema,
  chatCompletionSchema,
  openAiErrorSchema,
} from "../schemas/openai-chat.ts";
import type { ServerSentEvent } from "../sse.ts";
import { sendEvents } from "../sse.ts";

/** Before the name of an agent, in the place of a model. */
export const agentPrefix = "agent:";

export function openAiChatRoutes(app: App, gateway: Gateway): void {
  const { client, config, observe } = gateway;
  app.post(
    "/v1/chat/completions",
    {
      bodyLimit: config.maxJsonBytes,
      schema: {
        tags: ["openai"],
        summary: "An answer from one's documents, in the form of OpenAI's API",
        description:
          "The messages are the history, and nothing is kept. Sources stand as [1] in the text, as annotations of the " +
          "message, and whole in the field `headwater`. Tools are those of agents: name one as the model agent:NAME.",
        body: chatCompletionRequestSchema,
        response: { 200: chatCompletionSchema },
        produces: {
          "text/event-stream": {
            description: "With stream: chunks, then [DONE]; a failure is a chunk with `error` (OpenAiError)",
            schema: chatCompletionChunkSchema,
          },
        },
        failure: openAiErrorSchema,
      },
    },
    async (request, reply) => {
      const { body } = request;
      const { message, options } = askedBy(body);
      const answers = await answererOf(client, request, body.model);
      const events = client.chat(message, { ...callOptions(request), ...options, ...answers });
      if (!body.stream) return reply.send(await wholeCompletion(observe("http", events), body));
      const chunks = framed(completionChunks(observe("sse", events), body));
      return sendEvents(request, reply, chunks, config.heartbeatMs, {
        failed: (error, requestId) => ({ data: openAiErrorBody(error, requestId) }),
      });
    },
  );
}

/**
 * The model, or the agent, that a model's id means.
 *
 * @throws HeadwaterError NOT_FOUND, HW_AGENT_UNKNOWN
 */
async function answererOf(
  client: HeadwaterClient,
  request: FastifyRequest,
  model: string,
): Promise<{ model: string } | { agentId: string }> {
  if (!model.startsWith(agentPrefix)) return { model };
  const name = model.slice(agentPrefix.length);
  for await (const agent of client.agents.all(callOptions(request)))
    if (agent.name === name) return { agentId: agent.id };
  throw new HeadwaterError({
    code: status.NOT_FOUND,
    reason: "HW_AGENT_UNKNOWN",
    message: "There is no agent of this name.",
    action: "GET /v1/models lists the models and agents.",
  });
}

async function* framed(chunks: AsyncIterable<ChatCompletionChunk>): AsyncGenerator<ServerSentEvent> {
  for await (const data of chunks) yield { data };
  yield { data: "[DONE]" };
}
