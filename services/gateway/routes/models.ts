import type { App, Gateway } from "../gateway.ts";
import { callOptions } from "../request.ts";
import { modelJson, modelsSchema } from "../schemas/answer.ts";
import { agentPrefix } from "./openai-chat.ts";

export function modelRoutes(app: App, { client, config }: Gateway): void {
  app.get(
    "/v1/models",
    {
      schema: {
        tags: ["answers", "openai"],
        summary: "The language models that a question may name, and as OpenAI lists them, with the agents",
        response: { 200: modelsSchema },
      },
    },
    async (request) => {
      const options = callOptions(request, config.timeoutMs);
      const [models, agents] = await Promise.all([
        client.models(options),
        Array.fromAsync(client.agents.all(options)),
      ]);
      // The first one is what front-ends choose by themselves.
      const ranked = models.toSorted((a, b) => Number(b.isDefault) - Number(a.isDefault));
      return {
        models: models.map(modelJson),
        object: "list",
        data: [
          ...ranked.map(({ name, provider }) => openAiModel(name, undefined, provider)),
          ...agents.map(({ name, createdTime }) => openAiModel(agentPrefix + name, createdTime, "agent")),
        ],
      };
    },
  );
}

function openAiModel(id: string, created: Date | undefined, ownedBy: string) {
  const seconds = created ? Math.floor(created.getTime() / 1000) : 0;
  return { id, object: "model" as const, created: seconds, owned_by: ownedBy };
}
