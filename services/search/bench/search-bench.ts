import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PassageIndex, PassageIndexStore } from "@headwater/passage-index";
import { openLancePassageIndexStore } from "@headwater/passage-index/embedded";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import type { DeepPartial, SearchRequest } from "@headwater/proto/services/headwater/v1/search";
import { SearchServiceDefinition } from "@headwater/proto/services/headwater/v1/search";
import type { RpcClient } from "@headwater/rpc";
import { createRpcClient } from "@headwater/rpc";
import { silentTelemetry } from "@headwater/telemetry";
import { median } from "@headwater/testing/median";
import { readSearchConfig } from "../config.ts";
import { startSearch } from "../server.ts";
import { startEmbeddingDouble } from "../testing/embedding-double.ts";
import { SyntheticCorpus } from "./synthetic-corpus.ts";

export interface SearchBenchOptions {
  /** Default 50,000. */
  readonly passages?: number;
  /** Default 200. */
  readonly searches?: number;
  /** host:port of a real embedding-worker, for the time to the first hit with rerank on. Default: a double. */
  readonly embeddingAddress?: string;
  readonly onProgress?: (line: string) => void;
}

/** Medians in milliseconds, as the caller sees them. */
export interface SearchBenchResult {
  readonly passages: number;
  readonly searches: number;
  /** One call of the engine for the candidates of a search, by words, with nothing beside it. */
  readonly lexicalMs: number;
  /** Likewise by vector. */
  readonly vectorMs: number;
  /** The whole gRPC call with all stages, query cached, no rerank. */
  readonly searchMs: number;
  /** The slower of the two engine calls that this search itself makes, side by side, as its summary tells. */
  readonly slowerOwnMs: number;
  /** `searchMs` to `slowerOwnMs`: what the service adds to its engines. */
  readonly ratio: number;
  /** `searchMs` to the slower of `lexicalMs` and `vectorMs`: also what the two calls cost each other. */
  readonly ratioToAlone: number;
  /** With rerank on: to the first hits, and to the end. */
  readonly firstHitsMs: number;
  readonly rerankedMs: number;
  /** True: a real model reranked. */
  readonly realRerank: boolean;
}

type SearchClient = RpcClient<SearchServiceDefinition>;

/** Searches with rerank on are a hundred times slower. */
const rerankedSearches = 20;
const batchDocuments = 200;

/** Measures searches against the calls of the engine that they are made of, taking turns on the same index. */
export async function benchSearch(options: SearchBenchOptions = {}): Promise<SearchBenchResult> {
  const { passages = 50_000, searches = 200, embeddingAddress, onProgress = () => {} } = options;
  const folder = await mkdtemp(join(tmpdir(), "headwater-bench-"));
  const model = await modelOf(embeddingAddress);
  const corpus = new SyntheticCorpus(model.dimensions);
  const vectors = new Map<string, Float32Array>();
  const vectorOf = (text: string) => {
    const vector = vectors.get(text) ?? corpus.vector();
    vectors.set(text, vector);
    return vector;
  };
  const double = await startEmbeddingDouble(model.dimensions, { fingerprint: model.fingerprint, vectorOf });
  const store = await openLancePassageIndexStore({ folder });
  try {
    const index = await fill(store, corpus, passages, model, onProgress);
    const queries = Array.from({ length: searches }, () => corpus.query());
    onProgress("searching without rerank");
    const times = await withSearch(folder, double.address, (client) =>
      compare(client, index, queries, vectorOf),
    );
    onProgress("searching with rerank");
    const reranked = await withSearch(folder, embeddingAddress ?? double.address, (client) =>
      timeReranked(client, queries.slice(0, rerankedSearches)),
    );
    return {
      passages: await index.count(),
      searches,
      ...times,
      ratio: times.searchMs / times.slowerOwnMs,
      ratioToAlone: times.searchMs / Math.max(times.lexicalMs, times.vectorMs),
      ...reranked,
      realRerank: embeddingAddress !== undefined,
    };
  } finally {
    await store.close();
    await double.server.close(500);
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function modelOf(address: string | undefined): Promise<{ fingerprint: string; dimensions: number }> {
  if (address === undefined) return { fingerprint: "bench", dimensions: 384 };
  const client = createRpcClient(EmbeddingServiceDefinition, address);
  try {
    return await client.call.describe({});
  } finally {
    client.close();
  }
}

async function fill(
  store: PassageIndexStore,
  corpus: SyntheticCorpus,
  passages: number,
  model: { fingerprint: string; dimensions: number },
  onProgress: (line: string) => void,
): Promise<PassageIndex> {
  const index = await store.create({ model: model.fingerprint, chunking: "bench" }, model.dimensions);
  const documents = SyntheticCorpus.documentsFor(passages);
  for (let from = 0; from < documents; from += batchDocuments) {
    await index.replace(corpus.documents(Math.min(batchDocuments, documents - from), from));
    onProgress(`filling the index: ${Math.min(from + batchDocuments, documents)} of ${documents} documents`);
  }
  onProgress("training the vector index");
  await index.optimize();
  await store.activate(index);
  return index;
}

async function withSearch<T>(
  indexFolder: string,
  embeddingAddress: string,
  work: (client: SearchClient) => Promise<T>,
): Promise<T> {
  const config = { ...readSearchConfig({}), listen: "127.0.0.1:0", indexFolder, embeddingAddress };
  const service = await startSearch(config, silentTelemetry("search-bench"));
  const client = createRpcClient(SearchServiceDefinition, service.address);
  try {
    return await work(client);
  } finally {
    client.close();
    await service.close(500);
  }
}

async function compare(
  client: SearchClient,
  index: PassageIndex,
  queries: readonly string[],
  vectorOf: (text: string) => Float32Array,
): Promise<{ lexicalMs: number; vectorMs: number; searchMs: number; slowerOwnMs: number }> {
  const { candidates } = readSearchConfig({}).defaults;
  const filter = { tenant: "default" };
  const times = { lexicalMs: [] as number[], vectorMs: [] as number[], searchMs: [] as number[] };
  const slowerOwn: number[] = [];
  for (const [round, query] of queries.entries()) {
    const request = { query, rerank: { disabled: true } };
    const steps = {
      lexicalMs: () => index.searchLexical(query, filter, candidates),
      vectorMs: () => index.searchVector(vectorOf(query), filter, candidates),
      searchMs: async () => {
        const { milliseconds } = await drain(client, request);
        slowerOwn.push(Math.max(milliseconds["lexical"] ?? 0, milliseconds["vector"] ?? 0));
      },
    };
    // The first search puts the query's vector into the cache; it also warms what the others share.
    await drain(client, request);
    const names = Object.keys(steps) as (keyof typeof steps)[];
    const turn = round % names.length;
    for (const name of [...names.slice(turn), ...names.slice(0, turn)]) {
      const started = performance.now();
      await steps[name]();
      times[name].push(performance.now() - started);
    }
  }
  return {
    lexicalMs: median(times.lexicalMs),
    vectorMs: median(times.vectorMs),
    searchMs: median(times.searchMs),
    slowerOwnMs: median(slowerOwn),
  };
}

async function timeReranked(
  client: SearchClient,
  queries: readonly string[],
): Promise<{ firstHitsMs: number; rerankedMs: number }> {
  const first: number[] = [];
  const total: number[] = [];
  for (const query of queries) {
    const { firstMs, totalMs } = await drain(client, { query });
    first.push(firstMs);
    total.push(totalMs);
  }
  return { firstHitsMs: median(first), rerankedMs: median(total) };
}

async function drain(
  client: SearchClient,
  request: DeepPartial<SearchRequest>,
): Promise<{ firstMs: number; totalMs: number; milliseconds: Readonly<Record<string, number>> }> {
  const started = performance.now();
  let firstMs: number | undefined;
  let milliseconds = {};
  for await (const { event } of client.call.search(request)) {
    if (event?.$case === "hits" && event.value.hits.length > 0) firstMs ??= performance.now() - started;
    if (event?.$case === "summary") milliseconds = event.value.milliseconds;
  }
  const totalMs = performance.now() - started;
  return { firstMs: firstMs ?? totalMs, totalMs, milliseconds };
}
