import { z } from "zod";
import { named } from "./registry.ts";

export const readySchema = named(
  "Health",
  z.object({
    status: z.enum(["ready", "not ready"]),
    services: z.array(
      z.object({
        service: z.string(),
        status: z.enum(["ready", "not ready"]),
        reason: z.string().optional(),
        message: z.string().optional(),
        action: z.string().optional().describe("What to do"),
      }),
    ),
  }),
);

export const liveSchema = z.object({ status: z.literal("live") });
