import type { Prompt, PromptVersion } from "@headwater/client";
import { z } from "zod";
import { nextPageTokenSchema, timeSchema } from "./page.ts";
import { named } from "./registry.ts";

export const promptNameSchema = z.string().regex(/^[a-z0-9._-]{1,128}$/, "must be 1 to 128 of a-z 0-9 . _ -");
export const labelNameSchema = z.string().regex(/^[a-z0-9._-]{1,64}$/, "must be 1 to 64 of a-z 0-9 . _ -");
const version = z.int().min(0).max(4_294_967_295);

export const newPromptVersionSchema = named(
  "NewPromptVersion",
  z.strictObject({
    text: z.string().min(1).max(65_536).describe("With {{variable}} where a value goes"),
    note: z.string().max(1024).optional().describe("Why it is made"),
  }),
);

const share = z.strictObject({ version, weight: z.number().positive().max(1_000_000) });

export const promptSharesSchema = named(
  "PromptShares",
  z.strictObject({
    shares: z
      .array(share)
      .min(1)
      .max(32)
      .describe("One version, or several with their weights for an A/B split"),
  }),
);

export const renderRequestSchema = named(
  "RenderPrompt",
  z.strictObject({
    prompt: z.string().min(1).max(256).describe("name, name@label or name@version"),
    variables: z.record(z.string().min(1).max(128), z.string()).optional(),
  }),
);

export const diffQuery = z.strictObject({
  from: z.coerce.number<string>().int().min(0).max(4_294_967_295).describe("The older version"),
  to: z.coerce.number<string>().int().min(0).max(4_294_967_295).describe("The newer version"),
});

export const promptSchema = named(
  "Prompt",
  z.object({
    name: z.string(),
    latest_version: z.number().describe("0: only the one that comes with Headwater"),
    labels: z.array(
      z.object({
        label: z.string(),
        shares: z.array(z.object({ version: z.number(), weight: z.number() })),
      }),
    ),
    variables: z
      .array(z.object({ name: z.string(), description: z.string(), required: z.boolean() }))
      .describe("That a version has to use and may use; empty: any"),
    built_in: z.boolean().describe("Comes with Headwater, as version 0"),
  }),
);

export const promptListSchema = named(
  "PromptList",
  z.object({ prompts: z.array(promptSchema).describe("By name"), next_page_token: nextPageTokenSchema }),
);

export const promptVersionSchema = named(
  "PromptVersion",
  z.object({
    version: z.number().describe("From 1; 0: the one that comes with Headwater"),
    text: z.string(),
    note: z.string(),
    created_time: timeSchema.optional(),
    variables: z.array(z.string()).describe("In the text"),
  }),
);

export const promptVersionListSchema = named(
  "PromptVersionList",
  z.object({
    versions: z.array(promptVersionSchema).describe("Newest first"),
    next_page_token: nextPageTokenSchema,
  }),
);

export const promptDiffSchema = named(
  "PromptDiff",
  z.object({ diff: z.string().describe("Unified diff; empty: nothing differs") }),
);

export const renderedPromptSchema = named(
  "RenderedPrompt",
  z.object({ text: z.string(), version: z.number() }),
);

export function promptObjectJson(prompt: Prompt): z.output<typeof promptSchema> {
  return {
    name: prompt.name,
    latest_version: prompt.latestVersion,
    labels: prompt.labels.map(({ label, shares }) => ({
      label,
      shares: shares.map((each) => ({ ...each })),
    })),
    variables: prompt.variables.map((variable) => ({ ...variable })),
    built_in: prompt.builtIn,
  };
}

export function promptVersionJson(made: PromptVersion): z.output<typeof promptVersionSchema> {
  const { text, note, variables } = made;
  return {
    ...{ version: made.version, text, note },
    created_time: made.createdTime?.toISOString(),
    variables: [...variables],
  };
}
