import assert from "node:assert/strict";
import { test } from "node:test";
import type { BeirCollection } from "@headwater/evaluation";
import { openBeirCollection, summarize } from "@headwater/evaluation";
import { temporaryFolder } from "@headwater/testing";
import type { RankingName } from "../../apps/cli/evaluation/run-collection.ts";
import { loadCollection, runQueries } from "../../apps/cli/evaluation/run-collection.ts";
import { missingServers, useRealServers } from "../support/real-servers.ts";
import { startTestStack } from "../support/test-stack.ts";

const collectionFolder = process.env["HEADWATER_EVAL_COLLECTION"];
const missing = [...missingServers(), ...(collectionFolder ? [] : ["HEADWATER_EVAL_COLLECTION"])];
if (missing.length > 0) test(`LEFT OUT: ${missing.join(", ")} not set`, { skip: true }, () => {});
else
  test("Elasticsearch and Qdrant rank a collection as the embedded index does, within 0.01 of nDCG@10", async (t) => {
    const collection = await openBeirCollection(collectionFolder ?? "");
    const embedded = await measure(collection, {});
    const servers = await useRealServers();
    try {
      const real = await measure(collection, servers.environment);
      for (const name of ["BM25", "dense", "fused", "reranked"] as const)
        t.diagnostic(
          `${collection.name}, ${name}: embedded ${embedded[name].toFixed(4)}, real ${real[name].toFixed(4)}`,
        );
      for (const name of ["dense", "fused", "reranked"] as const)
        assert(Math.abs(real[name] - embedded[name]) <= 0.01, `${name}: ${real[name]}, ${embedded[name]}`);
    } finally {
      await servers.stop();
    }
  });

/** nDCG@10 of each ranking. */
async function measure(
  collection: BeirCollection,
  settings: Record<string, string>,
): Promise<Record<RankingName, number>> {
  const stack = await startTestStack(await temporaryFolder(), {
    services: ["embedding-worker", "ingest", "search"],
    // One text a batch: the same vectors on both sides, so that only the engines differ.
    environment: { ...settings, HEADWATER_EMBEDDING_BATCH_TEXTS: "1" },
  });
  try {
    await loadCollection(collection, stack.address("ingest"), () => {});
    const runs = await runQueries(collection, stack.address("search"), () => {});
    const ndcgOf = (name: RankingName) => summarize(runs[name], collection.judgements).ndcg10;
    return {
      BM25: ndcgOf("BM25"),
      dense: ndcgOf("dense"),
      fused: ndcgOf("fused"),
      reranked: ndcgOf("reranked"),
    };
  } finally {
    await stack.close(5000);
  }
}
