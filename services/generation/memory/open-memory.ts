import type { LanguageModel } from "@headwater/language-model";
import type { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import { MemoryServiceDefinition } from "@headwater/proto/services/headwater/v1/memory";
import type { RecordStore } from "@headwater/record-store";
import type { RpcClient, ServedService } from "@headwater/rpc";
import { servedService } from "@headwater/rpc";
import type { Telemetry } from "@headwater/telemetry";
import { MemoryEmbedder } from "./embedder.ts";
import { Memories } from "./memories.ts";
import type { TurnMemory } from "./memory.ts";
import { MemoryHandlers } from "./memory-handlers.ts";
import { MemoryStore } from "./memory-store.ts";
import { createMemoryMetrics } from "./metrics.ts";
import { createReader } from "./reader.ts";
import type { MemoryConfig } from "./settings.ts";

/** What generation needs beside it. */
export interface MemoryNeeds {
  readonly records: RecordStore;
  readonly embedding: RpcClient<EmbeddingServiceDefinition>;
  /** Reads statements that are told by themselves. */
  readonly model: LanguageModel;
  readonly telemetry: Telemetry;
}

export interface OpenMemory {
  readonly turns: TurnMemory;
  readonly service: ServedService;
  close(): Promise<void>;
}

/** Milliseconds between two sweeps of what has faded; owners who come back have theirs swept as they are read. */
const sweepEveryMs = 3_600_000;

/** What conversations teach; its tables are in the record store already. */
export function openMemory(config: MemoryConfig, needs: MemoryNeeds): OpenMemory {
  const { records, embedding, model, telemetry } = needs;
  const metrics = createMemoryMetrics(telemetry.metrics);
  const memories = new Memories({
    ...config,
    store: new MemoryStore(records, config),
    embedder: new MemoryEmbedder(embedding),
    reader: createReader(metrics, telemetry.log),
    metrics,
  });
  let sweeping = Promise.resolve();
  const timer = setInterval(() => {
    sweeping = memories
      .sweep()
      .catch((thrown: unknown) => telemetry.log.warn({ err: thrown }, "faded memories could not be swept"));
  }, sweepEveryMs);
  return {
    turns: memories,
    service: servedService(MemoryServiceDefinition, new MemoryHandlers(memories, model)),
    close: async () => {
      clearInterval(timer);
      await sweeping;
    },
  };
}
