import { z } from "zod";
import { named } from "./registry.ts";

const text = z.string().min(1, "must not be empty").max(1_000_000);

/** As https://platform.openai.com/docs/api-reference/embeddings/create has it; other fields change nothing. */
export const embeddingRequestSchema = named(
  "EmbeddingRequest",
  z.looseObject({
    model: z.string().min(1).max(256).describe("Name of the embedding model"),
    input: z
      .union([text, z.array(text).min(1).max(2048)], "must be a text or 1 to 2,048 texts, not tokens")
      .describe("Embedded as passages are, without the prefix of queries"),
    encoding_format: z.enum(["float", "base64"]).nullish().describe("Default float"),
    dimensions: z.int().min(1).nullish().describe("Those of the model; it makes no others"),
  }),
);
export type EmbeddingRequest = z.output<typeof embeddingRequestSchema>;

export const embeddingResponseSchema = named(
  "EmbeddingResponse",
  z.object({
    object: z.literal("list"),
    data: z.array(
      z.object({
        object: z.literal("embedding"),
        index: z.number(),
        embedding: z
          .union([z.array(z.number()), z.string()])
          .describe("Of Euclidean length 1; as base64: float32, little-endian"),
      }),
    ),
    model: z.string(),
    usage: z.object({ prompt_tokens: z.number(), total_tokens: z.number() }),
  }),
);
