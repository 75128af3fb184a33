import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHeadwaterClient } from "@headwater/client";
import type { DeepPartial, PushRequest } from "@headwater/proto/services/headwater/v1/ingest";
import { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import { createRpcClient } from "@headwater/rpc";
import type { Environment } from "@headwater/settings";
import { estimateTokens } from "@headwater/text";
import type { ServiceName } from "../stack/stack.ts";
import { serviceNames } from "../stack/stack.ts";
import { processorSeconds, residentBytes } from "./process-usage.ts";
import { findServers, makeDatabase, removeCollections, removeIndexes } from "./scratch.ts";
import { startServicesApart } from "./services-apart.ts";
import { untilDone } from "./until-done.ts";

/** Milliseconds of the processors for one of something, by who spent them; Elasticsearch tells its own. */
export type ProcessorMs = Readonly<Record<ServiceName | "elasticsearch", number>>;

/** What one passage, search or answer costs: what a capacity plan is made of. */
export interface UnitCosts {
  readonly passages: number;
  /** Of a passage, by the estimate of four characters each. */
  readonly tokens: number;
  readonly perPassage: ProcessorMs;
  /** With the usual rerank, no query known before. */
  readonly perSearch: ProcessorMs;
  /** Without rerank. */
  readonly perPlainSearch: ProcessorMs;
  /** Extractive: search, ranking and citations, and no language model. */
  readonly perAnswer: ProcessorMs;
  /** Of the lexical index, one segment, no replica. */
  readonly elasticsearchBytes: number;
  /** Of a document in ingest's catalog. */
  readonly catalogBytes: number;
  /** Resident bytes of each process at the end. */
  readonly resident: Readonly<Record<ServiceName, number>>;
}

const needed = {
  HEADWATER_ELASTICSEARCH_URL: "ELASTICSEARCH_URL",
  HEADWATER_QDRANT_URL: "QDRANT_URL",
  HEADWATER_POSTGRES_URL: "POSTGRES_URL",
} as const;

/** Patience for a machine that has other things to do: what runs out of time would not be done, and not be counted. */
const patient = {
  HEADWATER_MAX_CONNECTION_AGE_MS: "0",
  HEADWATER_ELASTICSEARCH_TIMEOUT_MS: "60000",
  HEADWATER_QDRANT_TIMEOUT_MS: "60000",
  HEADWATER_SEARCH_RERANK_BUDGET_MS: "60000",
  HEADWATER_SEARCH_EMBED_TIMEOUT_MS: "60000",
  HEADWATER_GENERATION_RANK_BUDGET_MS: "60000",
};

/** Callers at once. */
const callers = 8;
/** Before anything is counted: code is compiled, connections are made. */
const warmUps = 24;

/**
 * Each service in a process of its own, on a real Elasticsearch, PostgreSQL and what answers as Qdrant does. Processor time
 * is counted and not the clock, so that other work on the machine does not matter.
 */
export async function benchUnits(
  texts: readonly string[],
  environment: Environment,
  report: (line: string) => void,
): Promise<UnitCosts> {
  await using resources = new AsyncDisposableStack();
  const name = `units-${randomBytes(5).toString("hex")}`;
  const servers = findServers(environment, needed);
  const folder = await mkdtemp(join(tmpdir(), "headwater-bench-"));
  resources.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  const database = await makeDatabase(servers.HEADWATER_POSTGRES_URL, name.replace("-", "_"));
  resources.defer(() => database.drop());
  resources.defer(() => removeIndexes(servers.HEADWATER_ELASTICSEARCH_URL, name));
  resources.defer(() => removeCollections(servers.HEADWATER_QDRANT_URL, name));
  const own: Record<string, string> = {
    ...servers,
    ...patient,
    HEADWATER_POSTGRES_URL: database.url,
    HEADWATER_ELASTICSEARCH_PREFIX: name,
    HEADWATER_QDRANT_PREFIX: name,
  };
  const services = await startServicesApart(own, (service) => join(folder, service));
  resources.defer(() => services.stop());
  const ingest = createRpcClient(IngestServiceDefinition, services.get("ingest").address);
  resources.defer(async () => ingest.close());
  const gateway = createHeadwaterClient({ baseUrl: `http://${services.get("gateway").address}` });
  const lexical = elasticsearch(servers.HEADWATER_ELASTICSEARCH_URL, name);

  const spent = async (): Promise<ProcessorMs> => {
    const entries = serviceNames.map((name) => [name, processorSeconds([services.get(name).pid]) * 1000]);
    return { ...Object.fromEntries(entries), elasticsearch: await lexical.processorMs() } as ProcessorMs;
  };
  const costOf = async (count: number, work: () => Promise<void>): Promise<ProcessorMs> => {
    const before = await spent();
    await work();
    const after = await spent();
    const each = Object.entries(after).map(([who, ms]) => [who, (ms - before[who as ServiceName]) / count]);
    return Object.fromEntries(each) as ProcessorMs;
  };
  const push = async (share: readonly string[], first: number) => {
    for await (const { error } of ingest.call.push(documents(share, first)))
      if (error) throw new Error(error.message);
    await untilDone(ingest);
  };
  const ask = async (questions: readonly string[], one: (question: string) => AsyncIterable<unknown>) => {
    const queue = [...questions];
    const caller = async () => {
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) for await (const _ of one(next));
    };
    await Promise.all(Array.from({ length: callers }, caller));
  };

  const counted = texts.slice(warmUps);
  await push(texts.slice(0, warmUps), 0);
  const emptyDatabase = await database.bytes();
  const perPassage = await costOf(counted.length, () => push(counted, warmUps));
  const catalogBytes = ((await database.bytes()) - emptyDatabase) / counted.length;
  report(`${counted.length} passages are indexed`);
  const questions = counted.map(questionOf);
  // Each question is asked once: what is known of a query before would make it cheap.
  const share = Math.floor((questions.length - warmUps) / 3);
  const nth = (part: number) => questions.slice(warmUps + part * share, warmUps + (part + 1) * share);
  await ask(questions.slice(0, warmUps), (question) => gateway.answer(question));
  const perSearch = await costOf(share, () => ask(nth(0), (question) => gateway.search(question)));
  const perPlainSearch = await costOf(share, () =>
    ask(nth(1), (question) => gateway.search(question, { rerank: { disabled: true } })),
  );
  report(`${2 * share} searches are done`);
  const perAnswer = await costOf(share, () => ask(nth(2), (question) => gateway.answer(question)));
  const pids = serviceNames.map((name) => [name, residentBytes([services.get(name).pid])] as const);
  return {
    passages: counted.length,
    tokens: counted.reduce((sum, text) => sum + estimateTokens(text), 0) / counted.length,
    ...{ perPassage, perSearch, perPlainSearch, perAnswer },
    elasticsearchBytes: (await lexical.bytes()) / texts.length,
    catalogBytes,
    resident: Object.fromEntries(pids) as Record<ServiceName, number>,
  };
}

async function* documents(texts: readonly string[], first: number): AsyncGenerator<DeepPartial<PushRequest>> {
  const encoder = new TextEncoder();
  for (const [index, text] of texts.entries()) {
    const value = { id: `unit/${first + index}`, mediaType: "text/plain", content: encoder.encode(text) };
    yield { part: { $case: "document", value } };
  }
}

/** A few words of a text, which no other question has in this order. */
function questionOf(text: string): string {
  return text.split(/\s+/).slice(2, 12).join(" ");
}

/** The server's own account of itself, and of the indexes of one prefix. */
function elasticsearch(url: string, prefix: string) {
  const get = async <T>(path: string): Promise<T> => (await (await fetch(`${url}/${path}`)).json()) as T;
  return {
    async processorMs(): Promise<number> {
      type Stats = { nodes: Record<string, { process: { cpu: { total_in_millis: number } } }> };
      const { nodes } = await get<Stats>("_nodes/stats/process");
      return Object.values(nodes).reduce((sum, { process }) => sum + process.cpu.total_in_millis, 0);
    },
    /** Of all passages, merged into one segment. */
    async bytes(): Promise<number> {
      await fetch(`${url}/${prefix}*/_forcemerge?max_num_segments=1`, { method: "POST" });
      type Stats = { _all: { primaries: { store: { size_in_bytes: number } } } };
      return (await get<Stats>(`${prefix}*/_stats/store`))._all.primaries.store.size_in_bytes;
    },
  };
}
