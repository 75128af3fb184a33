import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { Memory, MemoryService } from "@headwater/proto/connect/headwater/v1/memory";
import { MemoryAction, MemorySchema } from "@headwater/proto/connect/headwater/v1/memory";

/** The memory service over memories in an array, newest first: what it has word for word is repeated. */
export function memoryDouble(memories: Memory[]): ServiceImpl<typeof MemoryService> {
  return {
    listMemories: () => ({ memories }),
    searchMemories: ({ query }) => ({
      memories: memories
        .filter(({ text }) => text.toLowerCase().includes(query.toLowerCase()))
        .map((memory) => ({ ...memory, similarity: 0.9 })),
    }),
    remember({ statement }) {
      const known = memories.find(({ text }) => text === statement);
      const surprise = known ? 0.04 : 0.82;
      if (!known) {
        const createdTime = timestampFromDate(new Date());
        memories.unshift(
          create(MemorySchema, {
            ...{ id: `m${memories.length + 1}`, text: statement, surprise, strength: 0.6 },
            ...{ createdTime, updatedTime: createdTime },
          }),
        );
      }
      return {
        decision: {
          statement,
          action: known ? MemoryAction.REPEATED : MemoryAction.STORED,
          surprise,
          threshold: 0.35,
          parts: { distance: surprise, density: 0.7, momentary: surprise, momentum: 0 },
        },
      };
    },
    correctMemory({ id, text }) {
      const memory = memories.find((other) => other.id === id);
      if (memory) memory.text = text;
      return memory ? { memory } : {};
    },
    forgetMemory({ id }) {
      const index = memories.findIndex((memory) => memory.id === id);
      if (index >= 0) memories.splice(index, 1);
      return {};
    },
    forgetAllMemories: () => ({ forgotten: memories.splice(0).length }),
  };
}
