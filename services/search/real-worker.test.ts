import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { embeddingText, openLancePassageIndexStore } from "@headwater/passage-index";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import { Stage } from "@headwater/proto/services/headwater/v1/search";
import { createRpcClient } from "@headwater/rpc";
import { temporaryFolder } from "@headwater/testing";
import { startSearchHarness, toDocumentPassages } from "./testing/search-harness.ts";

const folder = await temporaryFolder();
const address = await startRealWorker(folder);
const harness = await startSearchHarness({ embeddingAddress: address });
const embedding = createRpcClient(EmbeddingServiceDefinition, address);
after(() => embedding.close());

/** As a process of its own, as no service imports another; resolves when it listens. */
async function startRealWorker(dataFolder: string): Promise<string> {
  const main = join(import.meta.dirname, "../embedding-worker/main.ts");
  const worker = spawn(process.execPath, [main], {
    env: {
      ...process.env,
      HEADWATER_EMBEDDING_LISTEN: "127.0.0.1:0",
      HEADWATER_METRICS_ADDRESS: "127.0.0.1:0",
      HEADWATER_DATA_DIR: dataFolder,
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  after(async () => {
    if (worker.exitCode !== null) return;
    const gone = once(worker, "exit");
    worker.kill("SIGKILL");
    await gone;
  });
  for await (const line of createInterface({ input: worker.stderr })) {
    const { msg, address: listening } = JSON.parse(line) as { msg?: string; address?: string };
    if (msg === "listening" && listening) {
      worker.stderr.resume();
      return listening;
    }
  }
  throw new Error("the embedding-worker ended before it listened");
}

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
