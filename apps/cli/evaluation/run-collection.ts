import { setTimeout as delay } from "node:timers/promises";
import type { BeirCollection, BeirDocument } from "@headwater/evaluation";
import type { DeepPartial, PushRequest } from "@headwater/proto/services/headwater/v1/ingest";
import { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import { SearchServiceDefinition, Stage } from "@headwater/proto/services/headwater/v1/search";
import type { RpcClient } from "@headwater/rpc";
import { createRpcClient } from "@headwater/rpc";

/** The lists that are measured, by the name they are printed under. */
export const rankings = {
  BM25: Stage.LEXICAL,
  dense: Stage.VECTOR,
  fused: Stage.FUSED,
  reranked: Stage.RERANKED,
};
export type RankingName = keyof typeof rankings;

/** Document ids, best first, by query id. */
export type Runs = Readonly<Record<RankingName, Map<string, string[]>>>;

/** Hits a query; nDCG@10 and recall@100 need no more. */
const depth = 100;
/** The longest that may be asked for: the quality of the reranker is measured, not the speed of this machine. */
const rerankBudgetMs = 60_000;

/** Pushes a collection as plain text and waits until the consumer has gone past all of it. */
export async function loadCollection(
  collection: BeirCollection,
  ingestAddress: string,
  onProgress: (done: number, pushed: number) => void,
): Promise<number> {
  const client = createRpcClient(IngestServiceDefinition, ingestAddress);
  try {
    let pushed = 0;
    const requests = async function* (): AsyncGenerator<DeepPartial<PushRequest>> {
      for await (const document of collection.documents()) yield pushRequest(document);
    };
    for await (const receipt of client.call.push(requests())) {
      if (receipt.error) throw new Error(`${receipt.id} was refused: ${receipt.error.message}`);
      pushed += 1;
    }
    await settled(client, (waiting) => onProgress(pushed - waiting, pushed));
    return pushed;
  } finally {
    client.close();
  }
}

function pushRequest({ id, title, text }: BeirDocument): DeepPartial<PushRequest> {
  const content = new TextEncoder().encode(text);
  return { part: { $case: "document", value: { id, title, mediaType: "text/plain", content } } };
}

async function settled(
  client: RpcClient<IngestServiceDefinition>,
  onWaiting: (waiting: number) => void,
): Promise<void> {
  while (true) {
    const { partitions } = await client.call.getPipeline({});
    const waiting = partitions.reduce(
      (sum, { endOffset, committedOffset }) => sum + endOffset - committedOffset,
      0,
    );
    onWaiting(waiting);
    if (waiting === 0) return;
    await delay(200);
  }
}

/** Asks every query of a collection once and keeps what each stage ranked. */
export async function runQueries(
  collection: BeirCollection,
  searchAddress: string,
  onProgress: (done: number) => void,
): Promise<Runs> {
  const client = createRpcClient(SearchServiceDefinition, searchAddress);
  const runs: Runs = { BM25: new Map(), dense: new Map(), fused: new Map(), reranked: new Map() };
  try {
    let done = 0;
    for (const { id, text } of collection.queries) {
      const request = {
        query: text,
        pageSize: depth,
        groupByDocument: true,
        rerank: { budgetMs: rerankBudgetMs },
      };
      for await (const { event } of client.call.search(request)) {
        if (event?.$case !== "hits") continue;
        const documents = event.value.hits.map((hit) => hit.document?.id ?? "");
        for (const [name, stage] of Object.entries(rankings)) {
          if (stage === event.value.stage) runs[name as RankingName].set(id, documents);
        }
      }
      done += 1;
      onProgress(done);
    }
    return runs;
  } finally {
    client.close();
  }
}
