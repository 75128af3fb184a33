import { z } from "zod";
import { named } from "./registry.ts";

/** Path of one thing that has an id. */
export const idParams = z.strictObject({ id: z.string().min(1).max(128) });

/** What a route answers with that has nothing else to say. */
export const doneSchema = named("Done", z.object({ id: z.string().describe("Of what it was done to") }));
