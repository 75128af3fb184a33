import assert from "node:assert/strict";
import { after, test } from "node:test";
import { embeddingText } from "@headwater/passage-index";
import { openLancePassageIndexStore } from "@headwater/passage-index/embedded";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import { Stage } from "@headwater/proto/services/headwater/v1/search";
import { createRpcClient } from "@headwater/rpc";
import { startEmbeddingProcess } from "@headwater/testing";
import { startSearchHarness, toDocumentPassages } from "./testing/search-harness.ts";

const { address, close } = await startEmbeddingProcess();
after(close);
const harness = await startSearchHarness({ embeddingAddress: address });
const embedding = createRpcClient(EmbeddingServiceDefinition, address);
after(() => embedding.close());

test("with the real model, a question finds the passage that shares its meaning but not its words", async () => {
  const { fingerprint, dimensions } = await embedding.call.describe({}, { deadline: 60_000 });
  const documents = [
    { id: "car", texts: ["The automobile would not start because its battery was flat."] },
    { id: "soup", texts: ["Simmer the onions in butter before you add the stock."] },
    { id: "bank", texts: ["Interest is paid on deposits at the end of each quarter."] },
  ].map(toDocumentPassages);
  const passages = documents.flatMap((document) => document.passages);
  const request = async function* () {
    yield { sequence: 1, texts: passages.map(embeddingText) };
  };
  const [response] = await Array.fromAsync(embedding.call.embed(request()));
  const vectors = response?.embeddings.map(({ vector }) => new Float32Array(new Uint8Array(vector).buffer));
  const store = await openLancePassageIndexStore({ folder: harness.folder });
  const index = await store.create({ model: fingerprint, chunking: "c" }, dimensions);
  await index.replace(
    documents.map((document, at) => ({
      ...document,
      passages: document.passages.map((passage) => ({ ...passage, vector: vectors?.[at] ?? passage.vector })),
    })),
  );
  await store.activate(index);
  const { hits, summary, stages } = await harness.search({
    query: "why does my vehicle not run?",
    explain: true,
    rerank: { budgetMs: 30_000 },
  });
  assert.deepEqual([summary.degradations, summary.finalStage], [[], Stage.RERANKED]);
  assert.equal(hits[0]?.document?.id, "car");
  const lexical = stages.find(({ stage }) => stage === Stage.LEXICAL);
  assert(!lexical?.hits.some(({ document }) => document?.id === "soup"));
  const score = hits[0]?.explanation?.rerankScore;
  assert(score !== undefined && score > 0 && score <= 1, String(score));
  await store.close();
});
