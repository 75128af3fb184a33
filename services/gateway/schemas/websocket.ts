import { z } from "zod";
import { answerRequestSchema } from "./answer.ts";
import { chatRequestSchema, decisionRequestSchema } from "./chat.ts";
import { documentIdSchema, newDocumentSchema } from "./new-document.ts";
import { named } from "./registry.ts";
import { searchRequestSchema } from "./search.ts";

const turnId = z.string().min(1).max(128);
const id = z.string().min(1).max(128).describe("Chosen by the client; comes back with every reply");

/** What a client may send over the WebSocket. */
export const webSocketRequestSchema = named(
  "WebSocketRequest",
  z.discriminatedUnion("type", [
    z.strictObject({ id, type: z.literal("search"), request: searchRequestSchema }),
    z.strictObject({ id, type: z.literal("answer"), request: answerRequestSchema }),
    z
      .strictObject({ id, type: z.literal("chat"), request: chatRequestSchema })
      .describe(
        "One turn of a conversation; it goes on when this request is cancelled, unless it is stateless",
      ),
    z
      .strictObject({
        id,
        type: z.literal("resume"),
        request: z.strictObject({
          turn_id: turnId,
          after: z.int().min(0).optional().describe("Sequence of the last event that was read. Default 0"),
        }),
      })
      .describe("A turn after an event; no model is asked again"),
    z
      .strictObject({
        id,
        type: z.literal("decide"),
        request: z.strictObject({
          turn_id: turnId,
          call_id: z.string().min(1).max(256),
          ...decisionRequestSchema.shape,
        }),
      })
      .describe("Approves or refuses a tool call that waits for it"),
    z
      .strictObject({ id, type: z.literal("cancel_turn"), request: z.strictObject({ turn_id: turnId }) })
      .describe("Ends a turn"),
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
      .describe(
        "hits, summary; passages, text, citation, end; the events of a turn; document; receipt; done; error, closing",
      ),
    data: z.unknown().optional(),
  }),
);
export type WebSocketReply = z.output<typeof webSocketReplySchema>;
