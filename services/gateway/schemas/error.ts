import { z } from "zod";
import { named } from "./registry.ts";

export const errorSchema = named(
  "Error",
  z.object({
    error: z.object({
      code: z.string().describe("gRPC status code by name, such as INVALID_ARGUMENT"),
      reason: z.string().describe("Stable, HW_…; scripts may depend on it"),
      message: z.string().describe("What happened, for people"),
      action: z.string().describe("What can be done about it; may be empty"),
      request_id: z.string().describe("Also in the header x-request-id; find it in the logs"),
      retry_after_ms: z.number().optional().describe("Milliseconds after which a retry makes sense"),
    }),
  }),
);
