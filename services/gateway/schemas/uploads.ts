import { z } from "zod";
import { documentIdSchema } from "./new-document.ts";
import { named } from "./registry.ts";

export const newUploadSchema = named(
  "NewUpload",
  z
    .strictObject({
      id: documentIdSchema.describe("Id of the document that will refer to the upload"),
      size_bytes: z.int().min(1).describe("Size of the original, which the upload must have"),
    })
    .describe("An original that comes apart from its document, and before it"),
);

export const createdUploadSchema = named(
  "CreatedUpload",
  z
    .object({
      upload: z.string().describe("For `upload` of the document"),
      method: z.literal("PUT"),
      url: z
        .string()
        .describe(
          "Takes the bytes once, without credentials: of the blob store, or of the gateway, then relative to the address of this request",
        ),
      headers: z.record(z.string(), z.string()).describe("To be sent with the bytes, as they are"),
      expires_time: z.iso.datetime().describe("Until when the bytes are taken"),
    })
    .describe("Where the bytes go"),
);

export const storedUploadSchema = named(
  "StoredUpload",
  z.object({ upload: z.string().describe("For `upload` of the document") }).describe("The bytes are durable"),
);
