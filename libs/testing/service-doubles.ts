import { AgentServiceDefinition } from "@headwater/proto/services/headwater/v1/agent";
import { ConversationServiceDefinition } from "@headwater/proto/services/headwater/v1/conversation";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import { FeedbackServiceDefinition } from "@headwater/proto/services/headwater/v1/feedback";
import { GenerationServiceDefinition } from "@headwater/proto/services/headwater/v1/generation";
import { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import { JobServiceDefinition } from "@headwater/proto/services/headwater/v1/job";
import { MemoryServiceDefinition } from "@headwater/proto/services/headwater/v1/memory";
import { PromptServiceDefinition } from "@headwater/proto/services/headwater/v1/prompt";
import { SearchServiceDefinition } from "@headwater/proto/services/headwater/v1/search";
import type { RpcServer } from "@headwater/rpc";
import { servedService, startRpcServer } from "@headwater/rpc";
import { silentTelemetry } from "@headwater/telemetry";
import { agentsDouble } from "./agents-double.ts";
import { ConversationsDouble } from "./conversations-double.ts";
import type { EnterDouble } from "./double-call.ts";
import { embeddingDouble } from "./embedding-double.ts";
import { feedbackDouble } from "./feedback-double.ts";
import { citation, hit, summary } from "./found-passage.ts";
import { generationDouble } from "./generation-double.ts";
import { ingestDouble } from "./ingest-double.ts";
import { jobsDouble } from "./jobs-double.ts";
import { memoriesDouble } from "./memories-double.ts";
import type { Seen } from "./misbehaviour.ts";
import { misbehave, note } from "./misbehaviour.ts";
import { promptsDouble } from "./prompts-double.ts";
import { searchDouble } from "./search-double.ts";

export type { Seen } from "./misbehaviour.ts";

/** Ingest, search and generation on loopback, over real gRPC, for tests of what stands in front of them. */
export interface ServiceDoubles {
  readonly ingest: RpcServer;
  readonly search: RpcServer;
  readonly generation: RpcServer;
  readonly embedding: RpcServer;
  readonly conversations: ConversationsDouble;
  readonly seen: Seen;
  close(): Promise<void>;
}

/**
 * Queries and questions choose what happens: "bad" is refused, "busy" is overloaded with a retry hint of 1,250 ms,
 * "bug" fails unexpectedly, "endless" and "flood" never end (slowly, and as fast as the reader reads), "hang" says nothing,
 * "break" fails after its first message. Documents whose id starts with "refused" are refused.
 */
export async function startServiceDoubles(options: { searchAddress?: string } = {}): Promise<ServiceDoubles> {
  const seen: Seen = {
    cancelled: 0,
    produced: 0,
    pushedBytes: 0,
    metadata: new Map(),
    tenant: "",
    owner: "",
    searchRequest: undefined,
    answerRequest: undefined,
    pushPaceMs: 0,
    pushEndMs: 20,
    notReady: undefined,
  };
  const enter: EnterDouble = async (word, request, context) => {
    note(seen, request.tenant, context);
    seen.owner = request.owner ?? "";
    await misbehave(seen, word, context);
  };
  const conversations = new ConversationsDouble({
    enter,
    hit: () => hit({}),
    summary,
    citation,
  });
  const checkReadiness = async () => {
    if (seen.notReady) throw seen.notReady;
  };
  const [ingest, search, generation, embedding] = await Promise.all([
    startRpcServer({
      address: "127.0.0.1:0",
      definition: IngestServiceDefinition,
      implementation: ingestDouble(seen),
      telemetry: silentTelemetry("ingest"),
      checkReadiness,
    }),
    startRpcServer({
      address: options.searchAddress ?? "127.0.0.1:0",
      definition: SearchServiceDefinition,
      implementation: searchDouble(seen),
      telemetry: silentTelemetry("search"),
      checkReadiness,
    }),
    startRpcServer({
      address: "127.0.0.1:0",
      definition: GenerationServiceDefinition,
      implementation: generationDouble(seen),
      further: [
        servedService(ConversationServiceDefinition, conversations.implementation()),
        servedService(AgentServiceDefinition, agentsDouble(enter)),
        servedService(PromptServiceDefinition, promptsDouble(enter)),
        servedService(FeedbackServiceDefinition, feedbackDouble(enter)),
        servedService(MemoryServiceDefinition, memoriesDouble(enter)),
        servedService(JobServiceDefinition, jobsDouble(enter)),
      ],
      telemetry: silentTelemetry("generation"),
      checkReadiness,
    }),
    startRpcServer({
      address: "127.0.0.1:0",
      definition: EmbeddingServiceDefinition,
      implementation: embeddingDouble(),
      telemetry: silentTelemetry("embedding-worker"),
      checkReadiness,
    }),
  ]);
  const close = async () => {
    conversations.close();
    await Promise.all([ingest, search, generation, embedding].map((server) => server.close(200)));
  };
  return { ingest, search, generation, embedding, conversations, seen, close };
}
