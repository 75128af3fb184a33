import type { Embedding } from "@headwater/proto/connect/headwater/v1/embedding";
import type { z } from "zod";
import type { App, Gateway } from "../gateway.ts";
import { callOptions } from "../request.ts";
import { openAiErrorSchema } from "../schemas/openai-chat.ts";
import type { EmbeddingRequest } from "../schemas/openai-embeddings.ts";
import { embeddingRequestSchema, embeddingResponseSchema } from "../schemas/openai-embeddings.ts";

export function openAiEmbeddingRoutes(app: App, { upstream, config }: Gateway): void {
  app.post(
    "/v1/embeddings",
    {
      bodyLimit: config.maxJsonBytes,
      schema: {
        tags: ["openai"],
        summary: "Vectors of texts, in the form of OpenAI's API, by the model that the indexes are made with",
        body: embeddingRequestSchema,
        response: { 200: embeddingResponseSchema },
        failure: openAiErrorSchema,
      },
    },
    async (request) => {
      const { signal, timeoutMs } = callOptions(request, config.timeoutMs);
      return embeddingsJson(
        request.body,
        await upstream.embedder.embed(request.body, { signal, ...(timeoutMs ? { timeoutMs } : {}) }),
      );
    },
  );
}

function embeddingsJson(
  { model, encoding_format }: EmbeddingRequest,
  embeddings: readonly Embedding[],
): z.output<typeof embeddingResponseSchema> {
  const encode = encoding_format === "base64" ? toBase64 : toNumbers;
  const tokens = embeddings.reduce((sum, embedding) => sum + embedding.tokens, 0);
  return {
    object: "list",
    data: embeddings.map(({ vector }, index) => ({ object: "embedding", index, embedding: encode(vector) })),
    model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

function toBase64(vector: Uint8Array): string {
  return Buffer.from(vector).toString("base64");
}

/** float32, little-endian, as on every platform that Node runs on; copied because the bytes may not be aligned. */
function toNumbers(vector: Uint8Array): number[] {
  return Array.from(new Float32Array(new Uint8Array(vector).buffer));
}
