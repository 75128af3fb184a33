import type { DeadLetter, DeadLetterDetails, Pipeline } from "@headwater/client";
import { documentStates } from "@headwater/client";
import { z } from "zod";
import { failureJson, failureSchema, metadataJson, metadataSchema } from "./documents.ts";
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

const deadLetterFields = {
  id: z.string().describe("For replay"),
  document_id: z.string(),
  version: z.number(),
  failure: failureSchema.optional(),
  failed_time: z.iso.datetime().optional(),
  partition: z.number(),
  offset: z.number(),
};

export const deadLettersSchema = named(
  "DeadLetters",
  z.object({
    dead_letters: z.array(z.object(deadLetterFields)).describe("Newest first"),
    next_page_token: z.string(),
  }),
);

export const deadLetterDetailsSchema = named(
  "DeadLetterDetails",
  z.object({
    ...deadLetterFields,
    metadata: metadataSchema.optional().describe("Absent where the event deletes or cannot be read"),
    headers: z.record(z.string(), z.string()).describe("Of the record in the log"),
    appended_time: z.iso.datetime().optional().describe("When the event was written into the log"),
    size_bytes: z.number().describe("Of the original"),
  }),
);

export const replayRequestSchema = named(
  "ReplayRequest",
  z.strictObject({ ids: z.array(z.string().min(1).max(1024)).max(1000).optional().describe("Default: all") }),
);

export const replayedSchema = named("Replayed", z.object({ replayed: z.number() }));

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

export function deadLetterDetailsJson(letter: DeadLetterDetails): z.output<typeof deadLetterDetailsSchema> {
  return {
    ...deadLetterJson(letter),
    metadata: letter.metadata && metadataJson(letter.metadata),
    headers: { ...letter.headers },
    appended_time: letter.appendedTime?.toISOString(),
    size_bytes: letter.sizeBytes,
  };
}
