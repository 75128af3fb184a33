import { z } from "zod";
import { bodyStream } from "../body-stream.ts";
import type { App, Gateway } from "../gateway.ts";
import { callOptions } from "../request.ts";
import { createdUploadSchema, newUploadSchema, storedUploadSchema } from "../schemas/uploads.ts";

const tags = ["documents"];

/** Prepares uploads: the bytes go to the blob store itself where people can reach it, else to this gateway. */
export function uploadRoutes(app: App, { client, config }: Gateway): void {
  app.post(
    "/v1/uploads",
    {
      schema: {
        tags,
        summary: "Says where the bytes of an original go, which a document then refers to",
        body: newUploadSchema,
        response: { 201: createdUploadSchema },
      },
    },
    async (request, reply) => {
      const { id, size_bytes } = request.body;
      const { upload, url, headers, expiresTime, token } = await client.documents.createUpload({
        ...callOptions(request, config.timeoutMs),
        ...{ id, sizeBytes: size_bytes },
      });
      return reply
        .code(201)
        .header("cache-control", "no-store")
        .send({
          ...{ upload, method: "PUT" as const, headers: { ...headers } },
          url: url ?? `/v1/uploads/${encodeURIComponent(token ?? "")}`,
          expires_time: (expiresTime ?? new Date()).toISOString(),
        });
    },
  );
}

/** Takes the bytes; in a scope of its own, as they are a stream, and as the right to send them is in the address. */
export function uploadBytesRoutes(app: App, { client, config }: Gateway): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _body, done) => done(null));
  app.put(
    "/v1/uploads/:token",
    {
      schema: {
        tags,
        summary: "Takes the bytes of an upload, at the address that POST /v1/uploads gave",
        params: z.object({ token: z.string().min(1).max(1536) }),
        consumes: {
          "application/octet-stream": { description: "The original, of any media type, streamed" },
        },
        response: { 200: storedUploadSchema },
      },
    },
    async (request) => {
      const bytes = bodyStream(request.raw, config.idleTimeoutMs);
      const { signal } = callOptions(request);
      return { upload: await client.documents.putUpload(request.params.token, bytes, { signal }) };
    },
  );
}
