import type { Memory, MemoryServiceDefinition } from "@headwater/proto/services/headwater/v1/memory";
import { MemoryAction } from "@headwater/proto/services/headwater/v1/memory";
import type { RpcContext } from "@headwater/rpc";
import type { ServiceImplementation } from "nice-grpc";
import type { EnterDouble } from "./double-call.ts";
import { doubleTime, notFound } from "./double-call.ts";

/** Memories, of all owners together; a statement surprises once. */
export function memoriesDouble(
  enter: EnterDouble,
): ServiceImplementation<MemoryServiceDefinition, RpcContext> {
  const memories = new Map<string, Memory>();
  return {
    async listMemories(request, context) {
      await enter("", request, context);
      return { memories: [...memories.values()], nextPageToken: "" };
    },
    async searchMemories(request, context) {
      await enter(request.query, request, context);
      return { memories: [...memories.values()].map((memory) => ({ ...memory, similarity: 0.5 })) };
    },
    async remember(request, context) {
      await enter(request.statement, request, context);
      const { statement } = request;
      const scores = { statement, surprise: 0.9, threshold: 0.5, parts: { distance: 0.8 } };
      const known = [...memories.values()].find(({ text }) => text === statement);
      if (known) return { decision: { ...scores, action: MemoryAction.REPEATED, memoryId: known.id } };
      const id = `memory-${memories.size + 1}`;
      const times = { createdTime: doubleTime, updatedTime: doubleTime };
      const measures = { surprise: 0.9, strength: 1, recallCount: 0, similarity: 0 };
      memories.set(id, { id, text: statement, conversationId: "", ...measures, ...times });
      return { decision: { ...scores, action: MemoryAction.STORED, memoryId: id } };
    },
    async correctMemory(request, context) {
      await enter("", request, context);
      const memory = memories.get(request.id);
      if (!memory) throw notFound("HW_MEMORY_NOT_FOUND", "memory");
      memory.text = request.text;
      return { memory };
    },
    async forgetMemory(request, context) {
      await enter("", request, context);
      memories.delete(request.id);
      return {};
    },
    async forgetAllMemories(request, context) {
      await enter("", request, context);
      const forgotten = memories.size;
      memories.clear();
      return { forgotten };
    },
  };
}
