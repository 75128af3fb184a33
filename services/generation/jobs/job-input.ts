import { invalidArgument } from "@headwater/errors";
import type { z } from "zod";
import type { JsonObject } from "./job.ts";

/** @throws HeadwaterError INVALID_ARGUMENT, HW_JOB_INPUT_INVALID, which names each field that is not right */
export function readInput<Schema extends z.ZodType>(schema: Schema, input: JsonObject): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "input"}: ${message}`);
  throw invalidArgument(
    "HW_JOB_INPUT_INVALID",
    `The input of the job is not right: ${problems.slice(0, 5).join("; ")}.`,
    "See docs/jobs.md for the fields of each kind.",
  );
}
