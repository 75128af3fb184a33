import { after } from "node:test";
import type { DocumentPassages, PassageIndex, PassageIndexStore } from "@headwater/passage-index";
import { openLancePassageIndexStore } from "@headwater/passage-index/embedded";
import type { SampleDocument } from "@headwater/passage-index/sample-passages";
import { samplePassages } from "@headwater/passage-index/sample-passages";
import type {
  DeepPartial,
  SearchRequest,
  SearchSummary,
  StageHits,
} from "@headwater/proto/services/headwater/v1/search";
import { SearchServiceDefinition } from "@headwater/proto/services/headwater/v1/search";
import type { RpcClient } from "@headwater/rpc";
import { createRpcClient } from "@headwater/rpc";
import type { RunningService } from "@headwater/service";
import { silentTelemetry } from "@headwater/telemetry";
import { temporaryFolder } from "@headwater/testing";
import type { SearchConfig } from "../config.ts";
import { readSearchConfig } from "../config.ts";
import { startSearch } from "../server.ts";
import type { EmbeddingDouble } from "./embedding-double.ts";
import { doubleFingerprint, startEmbeddingDouble, wordVector } from "./embedding-double.ts";

export const dimensions = 64;

/** A search service on a folder of its own, with an embedding double beside it. */
export interface SearchHarness {
  readonly client: RpcClient<SearchServiceDefinition>;
  readonly double: EmbeddingDouble;
  readonly store: PassageIndexStore;
  readonly service: RunningService;
  /** Of the index. */
  readonly folder: string;
  /** Writes documents into the active generation, which is made where there is none. */
  index(...documents: readonly SampleDocument[]): Promise<void>;
  search(request: DeepPartial<SearchRequest>, signal?: AbortSignal): Promise<Answer>;
}

export interface Answer {
  readonly stages: readonly StageHits[];
  readonly summary: SearchSummary;
  /** Hits of the last stage. */
  readonly hits: StageHits["hits"];
}

/** Starts all of it, and closes it at the end of the test file. */
export async function startSearchHarness(overrides: Partial<SearchConfig> = {}): Promise<SearchHarness> {
  const folder = await temporaryFolder();
  const double = await startEmbeddingDouble(dimensions);
  const config: SearchConfig = {
    ...readSearchConfig({ HEADWATER_DATA_DIR: folder }),
    listen: "127.0.0.1:0",
    embeddingAddress: double.address,
    ...overrides,
  };
  const store = await openLancePassageIndexStore({ folder: config.indexFolder });
  const service = await startSearch(config, silentTelemetry("search"));
  const client = createRpcClient(SearchServiceDefinition, service.address);
  after(async () => {
    client.close();
    await service.close(500);
    await double.server.close(500);
    await store.close();
  });
  return {
    client,
    double,
    store,
    service,
    folder: config.indexFolder,
    index: async (...documents) => {
      const index = (await store.active()) ?? (await newGeneration(store));
      await index.replace(documents.map(toDocumentPassages));
    },
    search: async (request, signal) => collect(client, request, signal),
  };
}

export async function newGeneration(
  store: PassageIndexStore,
  model = doubleFingerprint,
): Promise<PassageIndex> {
  const index = await store.create({ model, chunking: "c" }, dimensions);
  await store.activate(index);
  return index;
}

async function collect(
  client: RpcClient<SearchServiceDefinition>,
  request: DeepPartial<SearchRequest>,
  signal?: AbortSignal,
): Promise<Answer> {
  const stages: StageHits[] = [];
  let summary: SearchSummary | undefined;
  for await (const { event } of client.call.search(request, signal ? { signal } : {})) {
    if (event?.$case === "hits") stages.push(event.value);
    else summary = event?.value;
  }
  if (!summary) throw new Error("the stream ended without a summary");
  return { stages, summary, hits: stages.at(-1)?.hits ?? [] };
}

export function toDocumentPassages(document: SampleDocument): DocumentPassages {
  return samplePassages(document, (text) => wordVector(text, dimensions));
}
