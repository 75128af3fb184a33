import { z } from "zod";
import { answerRequestSchema } from "./answer.ts";
import { documentIdSchema, newDocumentSchema } from "./new-document.ts";
import { named } from "./registry.ts";
import { searchRequestSchema } from "./search.ts";

const id = z.string().min(1).max(128).describe("Chosen by the client; comes back with every reply");

/** What a client may send over the WebSocket. */
export const webSocketRequestSchema = named(
  "WebSocketRequest",
  z.discriminatedUnion("type", [
    z.strictObject({ id, type: z.literal("search"), request: searchRequestSchema }),
    z.strictObject({ id, type: z.literal("answer"), request: answerRequestSchema }),
    z.strictObject({
      id,
      type: z.literal("watch"),
      request: z
        .strictObject({
          ids: z.array(documentIdSchema).max(1024).optional(),
          until_settled: z.boolean().optional(),
          changes_only: z.boolean().optional(),
        })
        .default({}),
    }),
    z.strictObject({ id, type: z.literal("push"), request: newDocumentSchema }),
    z.strictObject({ id, type: z.literal("cancel") }).describe("Ends the request of this id"),
  ]),
);
export type WebSocketRequest = z.output<typeof webSocketRequestSchema>;

/** What the server sends. `data` is what the server-sent event of the same name holds. */
export const webSocketReplySchema = named(
  "WebSocketReply",
  z.object({
    id: z.string().describe("Of the request; empty where no id could be read"),
    type: z
      .string()
      .describe("hits, summary; passages, text, citation, end; document; receipt; done; error, closing"),
    data: z.unknown().optional(),
  }),
);
export type WebSocketReply = z.output<typeof webSocketReplySchema>;
