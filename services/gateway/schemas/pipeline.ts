import type { DeadLetter, Pipeline } from "@headwater/client";
import { documentStates } from "@headwater/client";
import { z } from "zod";
import { failureJson, failureSchema } from "./documents.ts";
import { named } from "./registry.ts";

export const pipelineSchema = named(
  "Pipeline",
  z.object({
    documents: z.record(z.enum(documentStates), z.number()).describe("Documents of the tenant by state"),
    partitions: z
      .array(z.object({ partition: z.number(), end_offset: z.number(), committed_offset: z.number() }))
      .describe("Of the log, over all tenants"),
    lag: z.number().describe("Events in the log that are not yet done, over all tenants"),
    dead_letters: z.number().describe("Over all tenants"),
    passages: z.number().describe("In the indexes, over all tenants"),
    index_fingerprint: z.string().describe("Of model and chunking; empty while the indexes are empty"),
    indexed_since_start: z.number(),
  }),
);

export const deadLettersSchema = named(
  "DeadLetters",
  z.object({
    dead_letters: z
      .array(
        z.object({
          id: z.string().describe("For replay"),
          document_id: z.string(),
          version: z.number(),
          failure: failureSchema.optional(),
          failed_time: z.iso.datetime().optional(),
          partition: z.number(),
          offset: z.number(),
        }),
      )
      .describe("Newest first"),
    next_page_token: z.string(),
  }),
);

export const replayRequestSchema = named(
  "ReplayRequest",
  z.strictObject({ ids: z.array(z.string().min(1).max(1024)).max(1000).optional().describe("Default: all") }),
);

export const replayedSchema = named("Replayed", z.object({ replayed: z.number() }));

export const reindexEventSchema = named(
  "ReindexEvent",
  z.object({ done: z.number(), total: z.number(), failed: z.number() }),
);

export function pipelineJson(pipeline: Pipeline): z.output<typeof pipelineSchema> {
  return {
    documents: { ...pipeline.documents },
    partitions: pipeline.partitions.map(({ partition, endOffset, committedOffset }) => ({
      partition,
      end_offset: endOffset,
      committed_offset: committedOffset,
    })),
    lag: pipeline.lag,
    dead_letters: pipeline.deadLetters,
    passages: pipeline.passages,
    index_fingerprint: pipeline.indexFingerprint,
    indexed_since_start: pipeline.indexedSinceStart,
  };
}

export function deadLetterJson(
  letter: DeadLetter,
): z.output<typeof deadLettersSchema>["dead_letters"][number] {
  return {
    id: letter.id,
    document_id: letter.documentId,
    version: letter.version,
    failure: letter.failure && failureJson(letter.failure),
    failed_time: letter.failedTime?.toISOString(),
    partition: letter.partition,
    offset: letter.offset,
  };
}
