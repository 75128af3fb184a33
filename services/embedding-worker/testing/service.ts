import { after } from "node:test";
import type {
  Embedding,
  EmbedRequest,
  EmbedResponse,
} from "@headwater/proto/services/headwater/v1/embedding";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import type { RpcClient } from "@headwater/rpc";
import { createRpcClient } from "@headwater/rpc";
import type { RunningService } from "@headwater/service";
import type { Telemetry } from "@headwater/telemetry";
import { silentTelemetry } from "@headwater/telemetry";
import { readEmbeddingWorkerConfig } from "../config.ts";
import { startEmbeddingWorker } from "../server.ts";

export interface TestService {
  readonly service: RunningService;
  readonly client: RpcClient<EmbeddingServiceDefinition>;
  readonly telemetry: Telemetry;
  /** One reading of a series; labels that are not given may be anything. */
  metric(name: string, labels?: Record<string, string>): Promise<number | undefined>;
  close(): Promise<void>;
}

/** A service on a port of its own, and its client; both end with the test or test file that asks for them. */
export async function startTestService(settings: Record<string, string>): Promise<TestService> {
  const telemetry = silentTelemetry("embedding-worker");
  const config = readEmbeddingWorkerConfig({
    HEADWATER_EMBEDDING_LISTEN: "127.0.0.1:0",
    HEADWATER_EMBEDDING_BATCH_TOKENS: "256",
    ...settings,
  });
  const service = await startEmbeddingWorker(config, telemetry);
  const client = createRpcClient(EmbeddingServiceDefinition, service.address);
  let closing: Promise<void> | undefined;
  const close = () => {
    client.close();
    closing ??= service.close(1000);
    return closing;
  };
  after(close);
  return {
    service,
    client,
    telemetry,
    close,
    async metric(name, labels = {}) {
      const found = await telemetry.metrics.getSingleMetric(name)?.get();
      return found?.values.find(({ labels: of }) =>
        Object.entries(labels).every(([key, is]) => of[key] === is),
      )?.value;
    },
  };
}

/** Sends requests as one stream and collects the responses. */
export async function embedAll(
  { client }: TestService,
  requests: readonly Partial<EmbedRequest>[],
  options: { signal?: AbortSignal } = {},
): Promise<EmbedResponse[]> {
  async function* send() {
    yield* requests;
  }
  const responses: EmbedResponse[] = [];
  for await (const response of client.call.embed(send(), options)) responses.push(response);
  return responses;
}

/** A copy: the bytes of a message lie anywhere in a larger buffer. */
export function vectorOf(embedding: Embedding | undefined): Float32Array {
  if (!embedding) throw new Error("there is no embedding");
  return new Float32Array(new Uint8Array(embedding.vector).buffer);
}

/** Of vectors of length 1. */
export function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
}
