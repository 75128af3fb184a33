import type { ReconcileProgress, ReindexStatus } from "@headwater/client";
import { discrepancies, reindexStates } from "@headwater/client";
import { z } from "zod";
import { named } from "./registry.ts";

export const reindexQuery = z.strictObject({
  action: z
    .enum(["resume", "undo", "finish"])
    .optional()
    .describe(
      "resume: go on with one that was interrupted, or begin; undo: the generation before serves again; finish: drop the generation that does not serve. Default resume",
    ),
});

export const reindexEventSchema = named(
  "ReindexEvent",
  z.object({
    done: z.number(),
    total: z.number(),
    failed: z.number(),
    resumed: z.boolean().describe("It goes on where an earlier one was interrupted"),
  }),
);

export const reindexStatusSchema = named(
  "ReindexStatus",
  z.object({
    state: z.enum(reindexStates),
    running: z.boolean(),
    done: z.number(),
    total: z.number(),
    failed: z.number(),
    changed: z.number().describe("Documents that the generation which does not serve has yet to take in"),
    started_time: z.iso.datetime().optional(),
    generations: z.array(
      z.object({ name: z.string(), serves: z.boolean(), passages: z.number(), fingerprint: z.string() }),
    ),
    fingerprint: z.string().describe("Of the model and chunking at work now; empty where not known"),
  }),
);

export const reconcileRequestSchema = named(
  "ReconcileRequest",
  z.strictObject({ repair: z.boolean().optional().describe("Mend what differs. Default false") }),
);

export const reconcileEventSchema = named(
  "ReconcileEvent",
  z.object({
    done: z.number(),
    total: z.number(),
    findings: z.array(
      z.object({
        discrepancy: z.enum(discrepancies),
        found: z.number(),
        mended: z.number(),
        examples: z.array(z.object({ tenant: z.string(), id: z.string() })).describe("Up to five"),
      }),
    ),
  }),
);

export function reindexStatusJson(status: ReindexStatus): z.output<typeof reindexStatusSchema> {
  const { startedTime, generations, ...rest } = status;
  return {
    ...rest,
    started_time: startedTime?.toISOString(),
    generations: generations.map((generation) => ({ ...generation })),
  };
}

export function reconcileEventJson(progress: ReconcileProgress): z.output<typeof reconcileEventSchema> {
  const { done, total, findings } = progress;
  return {
    ...{ done, total },
    findings: findings.map(({ examples, ...finding }) => ({
      ...finding,
      examples: examples.map((example) => ({ ...example })),
    })),
  };
}
