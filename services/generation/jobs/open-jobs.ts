import { ConversationServiceDefinition } from "@headwater/proto/services/headwater/v1/conversation";
import type { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import type { SearchServiceDefinition } from "@headwater/proto/services/headwater/v1/search";
import type { RecordStore } from "@headwater/record-store";
import type { RpcClient, TlsIdentity } from "@headwater/rpc";
import { createRpcClient } from "@headwater/rpc";
import { createSafeFetch } from "@headwater/safe-fetch";
import type { Telemetry } from "@headwater/telemetry";
import type { FeedbackStore } from "../feedback/feedback-store.ts";
import { JobHandlers } from "./job-handlers.ts";
import { Jobs } from "./jobs.ts";
import { chatJob } from "./kinds/chat-job.ts";
import { evaluateJob } from "./kinds/evaluate-job.ts";
import { indexJob } from "./kinds/index-job.ts";
import { reindexJob } from "./kinds/reindex-job.ts";

export interface JobParts {
  readonly records: RecordStore;
  readonly search: RpcClient<SearchServiceDefinition>;
  readonly feedback: FeedbackStore;
  readonly ingest: RpcClient<IngestServiceDefinition>;
  /** Hosts and networks beyond public ones that an index job may fetch from. */
  readonly allowPrivate: readonly string[];
  readonly telemetry: Telemetry;
  /** undefined: plain text. */
  readonly tls: TlsIdentity | undefined;
}

export interface OpenJobs {
  readonly handlers: JobHandlers;
  /**
   * Begins to take jobs.
   *
   * @param conversations host:port of this service: a chat job calls it as anybody would
   */
  start(conversations: string): Promise<void>;
  /** Hands back what runs. */
  close(graceMs: number): Promise<void>;
}

/** Jobs of all kinds, over the records of generation. */
export async function openJobs(parts: JobParts): Promise<OpenJobs> {
  const { records, telemetry, search, ingest, feedback, tls } = parts;
  const web = createSafeFetch({ userAgent: "Headwater/0.1", allowPrivate: parts.allowPrivate });
  let conversations: RpcClient<ConversationServiceDefinition> | undefined;
  const kinds = [
    chatJob(() => conversations),
    indexJob(ingest, web),
    reindexJob(ingest),
    evaluateJob(search, feedback),
  ];
  const closeClients = async () => {
    conversations?.close();
    await web.close();
  };
  try {
    const jobs = await Jobs.open({ records, kinds, telemetry });
    return {
      handlers: new JobHandlers(jobs),
      async start(address) {
        // It listens on an address and is known by a name.
        conversations = createRpcClient(ConversationServiceDefinition, address, {
          ...{ tls, serverName: tls?.serverName },
        });
        await jobs.start();
      },
      async close(graceMs) {
        await jobs.close(graceMs);
        await closeClients();
      },
    };
  } catch (thrown) {
    await closeClients();
    throw thrown;
  }
}
