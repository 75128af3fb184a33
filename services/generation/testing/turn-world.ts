import { randomUUID } from "node:crypto";
import { createExtractiveModel } from "@headwater/language-model";
import type { ChatResponse } from "@headwater/proto/services/headwater/v1/conversation";
import { Message, MessageRole } from "@headwater/proto/services/headwater/v1/conversation";
import type { RecordStore } from "@headwater/record-store";
import type { TurnMemory } from "../memory/memory.ts";
import { migrations } from "../migrations.ts";
import { noUsage } from "../turns/model-text.ts";
import type { TurnTask } from "../turns/play-turn.ts";
import type { Owner, RunTurn } from "../turns/turn.ts";
import { Turns } from "../turns/turns.ts";

/** For tests: one process that runs turns of a runner of the test's own, without a server before it. */
export interface TurnWorld {
  readonly turns: Turns;
  /** What failed and was not the turn's. */
  readonly errors: unknown[];
  /** Begins a turn in a new conversation. @returns its id */
  begin(run: RunTurn, options?: { memory?: TurnMemory; message?: string }): Promise<string>;
  read(turnId: string, after?: number): Promise<ChatResponse[]>;
}

/** Whose turns they are. */
export const somebody: Owner = { tenant: "acme", owner: "ann" };

export interface TurnWorldOptions {
  readonly graceMs?: number;
  readonly leaseMs?: number;
  readonly retentionMs?: number;
}

export async function openTurnWorld(
  records: RecordStore,
  { graceMs = 60_000, leaseMs = 60_000, retentionMs = 60_000 }: TurnWorldOptions = {},
): Promise<TurnWorld> {
  await records.migrate(migrations);
  const errors: unknown[] = [];
  const turns = await Turns.open({
    ...{ records, graceMs, leaseMs, retentionMs },
    onError: (_, thrown) => errors.push(thrown),
  });
  return {
    turns,
    errors,
    async begin(run, options = {}) {
      const task = taskOf(run, options);
      const message = Message.fromPartial({
        ...{ id: randomUUID(), turnId: task.id, role: MessageRole.USER, text: task.message },
      });
      const begun = await turns.store.begin({
        ...{ id: task.id, messageId: task.messageId, ...somebody, message, idempotencyKey: "" },
        conversationId: task.conversationId,
        conversation: { id: task.conversationId, title: "", agentId: "" },
      });
      if (begun.kind !== "begun") throw new Error(`the turn is ${begun.kind}`);
      turns.run(task, () => {});
      return task.id;
    },
    read: (turnId, after = 0) =>
      Array.fromAsync(turns.read(somebody, turnId, after, new AbortController().signal)),
  };
}

export function taskOf(
  run: RunTurn,
  { memory, message = "Is it salty?" }: { memory?: TurnMemory; message?: string } = {},
): TurnTask {
  return {
    ...{ ...somebody, id: randomUUID(), messageId: randomUUID(), conversationId: randomUUID() },
    ...{ message, run, memory, agentId: "", prompt: "", filter: undefined, temperature: undefined },
    ...{ maxPassages: 8, maxOutputTokens: 512 },
    model: createExtractiveModel({ rankSentences: async () => undefined }),
    history: async () => ({ messages: [], usage: noUsage }),
    onDegraded: () => {},
  };
}
