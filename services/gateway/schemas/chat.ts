import type { ChatEvent, ChatOptions, ToolCall, ToolResult, TurnEnd } from "@headwater/client";
import { messageRoles, turnEndReasons } from "@headwater/client";
import { z } from "zod";
import { citationJson, citationSchema, promptReferenceSchema, usageJson, usageSchema } from "./answer.ts";
import { decisionJson, memoryDecisionSchema, memoryJson, memorySchema } from "./memories.ts";
import { timeSchema } from "./page.ts";
import { named } from "./registry.ts";
import {
  defined,
  filterOptions,
  filterSchema,
  hitJson,
  hitSchema,
  searchSummarySchema,
  summaryJson,
} from "./search.ts";

const id = z.string().min(1).max(128);
const maxMessage = 32_768;

const idempotencyKey = id.optional().describe("A repeated request with the same key is the same turn");

const turnFields = {
  message: z.string().min(1, "must not be empty").max(maxMessage),
  conversation_id: id.optional().describe("Default: a new conversation, whose id `started` tells"),
  agent_id: id.optional().describe("Default: the conversation's, or plain answers from the documents"),
  model: z
    .string()
    .max(256)
    .optional()
    .describe("Name from /v1/models. Default: the agent's, or the server's"),
  filter: filterSchema.optional(),
  max_passages: z.int().min(1).max(50).optional().describe("Passages given to the model. Default 8"),
  max_output_tokens: z.int().min(1).max(8192).optional().describe("Default: the agent's, or 512"),
  temperature: z.number().min(0).max(2).optional(),
  prompt: z.string().min(1).max(256).optional().describe("name, name@label or name@version of a prompt"),
  skip_memory: z.boolean().optional().describe("Neither reads nor writes memory"),
};

export const chatRequestSchema = named(
  "ChatRequest",
  z
    .strictObject({
      ...turnFields,
      stateless: z
        .boolean()
        .optional()
        .describe(
          "Keeps nothing: `history` is all that came before, and the turn ends when its caller leaves",
        ),
      history: z
        .array(z.strictObject({ role: z.enum(messageRoles), text: z.string().max(maxMessage) }))
        .max(256)
        .optional()
        .describe("Only with stateless, oldest first"),
      idempotency_key: idempotencyKey,
    })
    .refine(({ stateless, history }) => stateless || !history, "history is taken only with stateless")
    .refine(
      ({ stateless, conversation_id, idempotency_key }) =>
        !stateless || !(conversation_id ?? idempotency_key),
      "conversation_id and idempotency_key are taken only without stateless",
    ),
);

/** A turn that nobody waits for: the input of a job of the kind `chat`. */
export const chatJobRequestSchema = named(
  "ChatJobRequest",
  z.strictObject({ ...turnFields, idempotency_key: idempotencyKey }),
);

export const decisionRequestSchema = named(
  "ToolCallDecision",
  z.strictObject({ approved: z.boolean().describe("false: the model is told that it was refused") }),
);

export const toolCallSchema = named(
  "ToolCall",
  z.object({
    call_id: z.string().describe("Unique within the turn"),
    tool: z.string(),
    arguments: z.string().describe("JSON as the model wrote it"),
  }),
);

export const toolResultSchema = named(
  "ToolResult",
  z.object({
    call_id: z.string(),
    text: z.string().describe("What the model reads"),
    failed: z.boolean().describe("The tool failed, was refused or is not known; text says why"),
    truncated: z.boolean(),
    elapsed_ms: z.number(),
  }),
);

export const turnEndSchema = named(
  "TurnEnd",
  z.object({
    end_reason: z.enum(turnEndReasons),
    usage: usageSchema,
    model: z.string(),
    milliseconds: z.record(z.string(), z.number()).describe("By step"),
    prompt: promptReferenceSchema.optional(),
    steps: z.number().describe("Steps of the agent"),
    error: z
      .object({ reason: z.string(), message: z.string(), action: z.string() })
      .optional()
      .describe("Why, where end_reason is failed"),
  }),
);

const startedFields = {
  turn_id: z.string().describe("For resuming, cancelling and deciding on tool calls"),
  conversation_id: z.string().describe("Empty where the turn is stateless"),
  message_id: z.string().describe("Of the answer; also for feedback"),
  standalone_question: z
    .string()
    .describe("The question as it is searched, where it was rewritten against the history; else empty"),
  agent_id: z.string().describe("The agent that answers; empty: none"),
};

/** Fields by name of the event. */
const eventFields = {
  started: startedFields,
  recalled: { memories: z.array(memorySchema) },
  passages: { hits: z.array(hitSchema), summary: searchSummarySchema },
  thought: { text: z.string() },
  tool_call: toolCallSchema.shape,
  approval: { call_id: z.string(), deadline: timeSchema.optional() },
  tool_result: toolResultSchema.shape,
  text: { text: z.string() },
  citation: citationSchema.shape,
  remembered: { decisions: z.array(memoryDecisionSchema) },
  end: turnEndSchema.shape,
} satisfies Record<ChatEvent["type"], z.ZodRawShape>;

const place = {
  sequence: z.number().describe("From 1, one more with each event of the turn"),
  step: z.number().describe("Step of the agent's loop, from 1; 0 outside of it"),
};

export const chatEventSchema = named(
  "ChatEvent",
  z
    .union(Object.values(eventFields).map((fields) => z.object({ ...place, ...fields })))
    .describe(
      `The data of one event; the fields follow from its name: ${Object.keys(eventFields).join(", ")}`,
    ),
);

export const chatResponseSchema = named(
  "ChatResponse",
  z.object({
    ...startedFields,
    answer: z.string(),
    citations: z.array(citationSchema),
    hits: z.array(hitSchema).describe("The passages that the answer may cite"),
    tool_steps: z.array(z.object({ call: toolCallSchema, result: toolResultSchema.optional() })),
    remembered: z.array(memoryDecisionSchema),
    ...turnEndSchema.shape,
  }),
);

/** The body in the client's names. */
export function chatOptions(body: z.output<typeof chatRequestSchema>): ChatOptions {
  return defined({
    conversationId: body.conversation_id,
    agentId: body.agent_id,
    model: body.model,
    filter: body.filter && filterOptions(body.filter),
    maxPassages: body.max_passages,
    maxOutputTokens: body.max_output_tokens,
    temperature: body.temperature,
    prompt: body.prompt,
    stateless: body.stateless,
    history: body.history,
    skipMemory: body.skip_memory,
    idempotencyKey: body.idempotency_key,
  });
}

/** One event as JSON; its name travels beside it. */
export function chatJson(event: ChatEvent): object {
  return { sequence: event.sequence, step: event.step, ...fieldsOf(event) };
}

function fieldsOf(event: ChatEvent): object {
  switch (event.type) {
    case "started":
      return startedJson(event);
    case "recalled":
      return { memories: event.memories.map(memoryJson) };
    case "passages":
      return { hits: event.hits.map(hitJson), summary: summaryJson(event.summary) };
    case "thought":
    case "text":
      return { text: event.text };
    case "tool_call":
      return toolCallJson(event);
    case "approval":
      return { call_id: event.callId, deadline: event.deadline?.toISOString() };
    case "tool_result":
      return toolResultJson(event);
    case "citation":
      return citationJson(event);
    case "remembered":
      return { decisions: event.decisions.map(decisionJson) };
    case "end":
      return turnEndJson(event);
  }
}

export function startedJson(event: Extract<ChatEvent, { type: "started" }>) {
  return {
    turn_id: event.turnId,
    conversation_id: event.conversationId,
    message_id: event.messageId,
    standalone_question: event.standaloneQuestion,
    agent_id: event.agentId,
  };
}

export function toolCallJson(call: ToolCall): z.output<typeof toolCallSchema> {
  return { call_id: call.callId, tool: call.tool, arguments: call.arguments };
}

export function toolResultJson(result: ToolResult): z.output<typeof toolResultSchema> {
  const { text, failed, truncated } = result;
  return { call_id: result.callId, text, failed, truncated, elapsed_ms: result.elapsedMs };
}

export function turnEndJson(end: TurnEnd): z.output<typeof turnEndSchema> {
  return {
    end_reason: end.reason,
    usage: usageJson(end.usage),
    model: end.model,
    milliseconds: { ...end.milliseconds },
    prompt: end.prompt && { ...end.prompt },
    steps: end.steps,
    error: end.error && {
      ...{ reason: end.error.reason, message: end.error.message },
      action: end.error.action,
    },
  };
}
