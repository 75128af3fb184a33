import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import { readEmbeddingWorkerConfig } from "./config.ts";
import { readEncoderFolder } from "./model/encoder-folder.ts";
import { embedPlainly } from "./testing/plain-loop.ts";
import { cosine, embedAll, startTestService, vectorOf } from "./testing/service.ts";

// The bundled model itself. What does not depend on it is tested on tiny models in service.test.ts.
const dataDir = await temporaryFolder();
const worker = await startTestService({ HEADWATER_DATA_DIR: dataDir });

const sentences = [
  "The capital of France is Paris.",
  "Whales are mammals that live in the sea.",
  "A boundary layer forms where a viscous fluid flows past a wall.",
  "Mills by the river ground grain until the flood of 1887 took the weir.",
];
/** From 6 to 220 tokens. */
const texts = Array.from({ length: 24 }, (_, index) =>
  Array.from({ length: 1 + ((index * 5) % 13) }, (_, at) => sentences[(index + at) % sentences.length]).join(
    " ",
  ),
);

test("Describe tells what the model is and bears", async () => {
  const description = await worker.client.call.describe({});
  assert.equal(description.model, "bge-small-en-v1.5-int8");
  assert.equal(description.fingerprint, "d412370e4679cb4ae5b04d653370b3e1");
  assert.deepEqual([description.dimensions, description.maxTokens, description.batchTokens], [384, 512, 256]);
  assert.equal(description.reranker, "late-interaction");
  assert(description.tokensPerSecond > 100);
  assert.equal(worker.service.notReady, undefined);
});

test("GetTokenizer gives what the worker itself tokenises with", async () => {
  const { tokenizerJson, fingerprint } = await worker.client.call.getTokenizer({});
  assert.equal(fingerprint, "d412370e4679cb4ae5b04d653370b3e1");
  assert(tokenizerJson.byteLength < 2 * 2 ** 20);
  const { model } = JSON.parse(Buffer.from(tokenizerJson).toString()) as { model: { vocab: object } };
  assert.equal(Object.keys(model.vocab).length, 30_522);
});

test("a query is nearer to the passage that answers it", async () => {
  const [response] = await embedAll(worker, [{ sequence: 7, texts: sentences.slice(0, 2) }]);
  assert.equal(response?.sequence, 7);
  const { embedding, fingerprint } = await worker.client.call.embedQuery({
    text: "What is the capital of France?",
  });
  assert.equal(fingerprint, "d412370e4679cb4ae5b04d653370b3e1");
  const query = vectorOf(embedding);
  const [paris, whales] = response.embeddings.map(vectorOf);
  assert(paris && whales);
  assert(cosine(query, paris) > cosine(query, whales) + 0.2);
});

test("vectors are those of a plain loop: exactly where a text went alone, nearly where it had company", async () => {
  const encoder = await readEncoderFolder(readEmbeddingWorkerConfig({}).modelDir);
  const expected = await embedPlainly(encoder, texts);
  const [response] = await embedAll(worker, [{ texts, skipCache: true }]);
  for (const [index, embedding] of (response?.embeddings ?? assert.fail()).entries()) {
    const vector = vectorOf(embedding);
    assert(Math.abs(Math.hypot(...vector) - 1) < 1e-5);
    const likeness = cosine(vector, expected[index] ?? assert.fail());
    // The int8 model scales the activations of a whole batch together. Measured: 0.9962 at the least.
    const bound = embedding.tokens > 128 ? 0.999999 : 0.995;
    assert(likeness > bound, `text ${index} of ${embedding.tokens} tokens: ${likeness}`);
  }
});

test("with one text in a batch, vectors are exactly those of a plain loop", async () => {
  const exact = await startTestService({
    HEADWATER_DATA_DIR: dataDir,
    HEADWATER_EMBEDDING_BATCH_TEXTS: "1",
  });
  const encoder = await readEncoderFolder(readEmbeddingWorkerConfig({}).modelDir);
  const few = texts.slice(0, 8);
  const expected = await embedPlainly(encoder, few);
  const [response] = await embedAll(exact, [{ texts: few, skipCache: true }]);
  for (const [index, embedding] of (response?.embeddings ?? assert.fail()).entries())
    assert(cosine(vectorOf(embedding), expected[index] ?? assert.fail()) > 0.999999);
  await exact.close();
});

test("Rerank puts the passage that answers first", async () => {
  const { scores, complete, reranker } = await worker.client.call.rerank({
    query: "capital of France",
    passages: ["Whales live in the sea.", "The capital of France is Paris.", ""],
  });
  assert.equal(reranker, "late-interaction");
  assert.equal(complete, true);
  const [whales, paris, nothing] = scores.map(({ score }) => score);
  assert((paris ?? 0) > (whales ?? 0) + 0.1 && (paris ?? 0) > (nothing ?? 0) + 0.1);
});

test("the event loop stays free while the model works", async () => {
  const started = performance.now();
  let longestMs = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - last);
    last = performance.now();
  }, 1);
  await embedAll(worker, [{ texts: texts.slice(0, 12), skipCache: true }]);
  clearInterval(timer);
  const tookMs = performance.now() - started;
  assert(longestMs < tookMs / 3, `${longestMs} of ${tookMs} ms in one piece`);
});
