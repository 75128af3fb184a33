import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import type { RecordStore } from "@headwater/record-store";
import { createRpcClient } from "@headwater/rpc";
import { readSettings } from "@headwater/settings";
import { silentTelemetry } from "@headwater/telemetry";
import { MemoryEmbedder } from "../embedder.ts";
import { Memories } from "../memories.ts";
import { MemoryStore } from "../memory-store.ts";
import { createMemoryMetrics } from "../metrics.ts";
import { createReader } from "../reader.ts";
import type { MemoryConfig } from "../settings.ts";
import { memorySettings, readMemoryConfig } from "../settings.ts";

/** Memory on records and a worker of one's own, with a clock that stands until it is moved. */
export interface MemoryWorld {
  readonly memories: Memories;
  readonly config: MemoryConfig;
  pass(milliseconds: number): void;
  close(): void;
}

export const startOfTime = Date.UTC(2026, 0, 1);

/** @param embeddingAddress host:port of an embedding-worker */
export function createMemoryWorld(
  records: RecordStore,
  embeddingAddress: string,
  overrides: Partial<MemoryConfig> = {},
): MemoryWorld {
  const config = { ...readMemoryConfig(readSettings(memorySettings, {})), ...overrides };
  const telemetry = silentTelemetry("generation");
  const embedding = createRpcClient(EmbeddingServiceDefinition, embeddingAddress);
  const metrics = createMemoryMetrics(telemetry.metrics);
  let now = startOfTime;
  const memories = new Memories({
    ...config,
    store: new MemoryStore(records, config),
    embedder: new MemoryEmbedder(embedding),
    reader: createReader(metrics, telemetry.log),
    metrics,
    clock: () => now,
  });
  return {
    memories,
    config,
    pass: (milliseconds) => {
      now += milliseconds;
    },
    close: () => embedding.close(),
  };
}
