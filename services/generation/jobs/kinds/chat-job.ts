import { HeadwaterError, status } from "@headwater/errors";
import type { Filter } from "@headwater/proto/services/headwater/v1/common";
import type {
  ConversationServiceDefinition,
  DeepPartial,
  TurnEnd,
} from "@headwater/proto/services/headwater/v1/conversation";
import { TurnEndReason, turnEndReasonToJSON } from "@headwater/proto/services/headwater/v1/conversation";
import { Citation } from "@headwater/proto/services/headwater/v1/generation";
import type { RpcClient } from "@headwater/rpc";
import { z } from "zod";
import type { JobKind, JsonObject } from "../job.ts";
import { readInput } from "../job-input.ts";

const filterSchema = z.strictObject({
  attributes: z.record(z.string(), z.array(z.string())).default({}),
  media_types: z.array(z.string()).default([]),
  document_ids: z.array(z.string()).default([]),
  observed_from: z.coerce.date().optional(),
  observed_before: z.coerce.date().optional(),
});

/** As ChatRequest has them; the service checks their bounds. */
const inputSchema = z.strictObject({
  message: z.string().min(1).max(32_768),
  conversation_id: z.string().optional(),
  agent_id: z.string().optional(),
  model: z.string().optional(),
  filter: filterSchema.optional(),
  max_passages: z.int().min(1).max(50).optional(),
  max_output_tokens: z.int().min(1).max(8192).optional(),
  temperature: z.number().min(0).max(2).optional(),
  prompt: z.string().optional(),
  skip_memory: z.boolean().optional(),
});

type Client = RpcClient<ConversationServiceDefinition>;

/** One turn of a conversation that nobody waits for. Approvals are given as in any turn: the job's progress names it. */
export function chatJob(client: () => Client | undefined): JobKind {
  return {
    name: "chat",
    concurrency: 4,
    check: (input) => void readInput(inputSchema, input),
    async run(job, { signal, report }) {
      const input = readInput(inputSchema, job.input);
      const answer = new Answer();
      const events = connected(client).call.chat(
        {
          tenant: job.tenant,
          owner: job.owner,
          conversationId: input.conversation_id ?? "",
          message: input.message,
          agentId: input.agent_id ?? "",
          model: input.model ?? "",
          filter: input.filter && toFilter(input.filter),
          maxPassages: input.max_passages ?? 0,
          maxOutputTokens: input.max_output_tokens ?? 0,
          temperature: input.temperature,
          prompt: input.prompt ?? "",
          skipMemory: input.skip_memory ?? false,
          // A job that was handed back takes up its own turn; one that failed makes another.
          idempotencyKey: `job/${job.id}/${job.attempts}`,
        },
        { signal },
      );
      for await (const { event } of events) {
        if (event?.$case === "started") {
          answer.ids = {
            turn_id: event.value.turnId,
            conversation_id: event.value.conversationId,
            message_id: event.value.messageId,
          };
          report({ done: 0, total: 1, note: `turn ${event.value.turnId}` });
        } else if (event?.$case === "text") answer.text += event.value.text;
        else if (event?.$case === "citation") answer.citations.push(Citation.toJSON(event.value));
        else if (event?.$case === "approval") {
          report({
            done: 0,
            total: 1,
            note: `turn ${answer.ids["turn_id"]}: call ${event.value.callId} waits`,
          });
        } else if (event?.$case === "end") return answer.end(event.value);
      }
      throw new TypeError("a turn ended without an end");
    },
  };
}

/** What a turn streams, gathered. */
class Answer {
  ids: JsonObject = {};
  text = "";
  readonly citations: unknown[] = [];

  /** @throws HeadwaterError where the turn failed */
  end({ reason, error, usage, model, steps }: DeepPartial<TurnEnd>): JsonObject {
    if (reason === TurnEndReason.FAILED && error) {
      throw new HeadwaterError({
        code: (error.code ?? status.UNKNOWN) as (typeof status)[keyof typeof status],
        reason: (error.reason || "HW_TURN_FAILED") as `HW_${string}`,
        message: error.message ?? "The turn failed.",
        ...(error.action ? { action: error.action } : {}),
      });
    }
    return {
      ...this.ids,
      answer: this.text,
      citations: this.citations,
      end_reason: turnEndReasonToJSON(reason ?? TurnEndReason.UNSPECIFIED)
        .replace("TURN_END_REASON_", "")
        .toLowerCase(),
      model: model ?? "",
      steps: steps ?? 0,
      usage: {
        input_tokens: usage?.inputTokens ?? 0,
        output_tokens: usage?.outputTokens ?? 0,
        cost: usage?.cost ?? 0,
      },
    };
  }
}

function connected(client: () => Client | undefined): Client {
  const found = client();
  if (found) return found;
  throw new TypeError("a job began before the service listened");
}

function toFilter(filter: z.output<typeof filterSchema>): Filter {
  return {
    attributes: Object.entries(filter.attributes).map(([key, values]) => ({ key, values })),
    mediaTypes: filter.media_types,
    documentIds: filter.document_ids,
    observedFrom: filter.observed_from,
    observedBefore: filter.observed_before,
  };
}
