import type { DescService } from "@bufbuild/protobuf";
import { AgentService } from "@headwater/proto/connect/headwater/v1/agent";
import { ConversationService } from "@headwater/proto/connect/headwater/v1/conversation";
import { EmbeddingService } from "@headwater/proto/connect/headwater/v1/embedding";
import { FeedbackService } from "@headwater/proto/connect/headwater/v1/feedback";
import { GenerationService } from "@headwater/proto/connect/headwater/v1/generation";
import { IngestService } from "@headwater/proto/connect/headwater/v1/ingest";
import { JobService } from "@headwater/proto/connect/headwater/v1/job";
import { LoadService } from "@headwater/proto/connect/headwater/v1/load";
import { MemoryService } from "@headwater/proto/connect/headwater/v1/memory";
import { PromptService } from "@headwater/proto/connect/headwater/v1/prompt";
import { SearchService } from "@headwater/proto/connect/headwater/v1/search";

const ofGeneration = [
  GenerationService,
  ...[ConversationService, AgentService, PromptService, FeedbackService, MemoryService, JobService],
];

/** What can be called at which address. */
export const contracts = {
  ingest: [IngestService, LoadService],
  "embedding-worker": [EmbeddingService, LoadService],
  search: [SearchService, LoadService],
  generation: [...ofGeneration, LoadService],
  gateway: [IngestService, SearchService, ...ofGeneration],
} as const satisfies Readonly<Record<string, readonly DescService[]>>;

/** These do a lot of work for everybody when they are asked well, as a message that was cut to nothing asks. */
export const heavyMethods: ReadonlySet<string> = new Set(["Reindex", "ReplayDeadLetters", "Reconcile"]);

/** True for a call that, asked well, stays open until the caller leaves. */
export function mayStayOpen(method: string): boolean {
  return method === "Watch" || method === "WatchLoad";
}
