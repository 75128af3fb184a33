import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import { EmbeddingDemand } from "@headwater/load";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import { createRpcClient } from "@headwater/rpc";
import { FakeEmbeddingWorker, fakeDimensions } from "../testing/fake-embedding-worker.ts";
import { eventually } from "../testing/ingest-harness.ts";
import { Embedder } from "./embedder.ts";

const worker = new FakeEmbeddingWorker();
await worker.start();
const client = createRpcClient(EmbeddingServiceDefinition, worker.address);
const troubles: string[] = [];
const embedders: Embedder[] = [];
const demand = new EmbeddingDemand();
after(async () => {
  for (const embedder of embedders) await embedder.close();
  client.close();
  await worker.stop();
});
beforeEach(() => {
  worker.onRequest = () => {};
  worker.embedded.length = 0;
  worker.requests.length = 0;
  troubles.length = 0;
});

function open(batch = 8, maxRequests = 4): Embedder {
  const embedder = new Embedder({
    ...{ client, batch, maxRequests, dimensions: fakeDimensions, demand },
    checkWorker: async () => {},
    onTrouble: ({ reason }) => troubles.push(reason),
    onRecovered: () => troubles.push("recovered"),
  });
  embedders.push(embedder);
  return embedder;
}

const never = new AbortController().signal;
const source = (...texts: string[]) => ({
  length: texts.length,
  tokens: texts.length * 10,
  text: (place: number) => texts[place] ?? "",
});
const many = (count: number, word: string) =>
  source(...Array.from({ length: count }, (_, at) => `${word} ${at}`));

test("each text gets its own vector, whatever requests it went in", async () => {
  const embedder = open();
  const documents = ["a", "bb", "ccc"].map((word) => many(word.length * 7, word));
  const results = await Promise.all(documents.map((document) => embedder.embed(document, never)));
  for (const [at, vectors] of results.entries()) {
    const document = documents[at];
    assert.deepEqual(
      vectors.map((vector) => vector[0]),
      vectors.map((_, place) => document?.text(place).length),
    );
  }
  assert(worker.requests.every((size) => size <= 8));
  assert.deepEqual(await embedder.embed(source(), never), []);
});

test("small documents share requests while others are under way", async () => {
  const embedder = open(8, 2);
  const gate = Promise.withResolvers<void>();
  worker.onRequest = () => gate.promise;
  const all = Array.from({ length: 30 }, (_, at) => embedder.embed(source(`text ${at}`), never));
  await eventually("requests are under way", () => true);
  gate.resolve();
  await Promise.all(all);
  assert(worker.requests.length <= 8, `${worker.requests.length} requests for 30 texts`);
});

test("a large document is not in the way of small ones", async () => {
  const embedder = open(8, 1);
  const order: string[] = [];
  const large = embedder.embed(many(400, "large"), never).then(() => order.push("large"));
  const small = embedder.embed(many(20, "small"), never).then(() => order.push("small"));
  await Promise.all([large, small]);
  assert.deepEqual(order, ["small", "large"]);
});

test("what a broken stream left unanswered is sent again, and nothing is lost or mixed up", async () => {
  const embedder = open();
  let left = 3;
  worker.onRequest = () => {
    if (worker.requests.length >= 2 && left-- > 0)
      throw new HeadwaterError({ code: status.UNAVAILABLE, reason: "HW_TEST_DOWN", message: "down" });
  };
  const vectors = await embedder.embed(many(60, "text"), never);
  assert.deepEqual(
    vectors.map((vector) => vector[0]),
    vectors.map((_, place) => `text ${place}`.length),
  );
  assert.deepEqual(troubles, ["HW_TEST_DOWN", "HW_TEST_DOWN", "HW_TEST_DOWN", "recovered"]);
});

test("a worker that is away is waited for", async () => {
  const embedder = open();
  await worker.stop();
  const waiting = embedder.embed(many(3, "text"), never);
  await eventually("the trouble is told", () => troubles.length > 0);
  await worker.start();
  assert.equal((await waiting).length, 3);
  assert.equal(troubles.at(-1), "recovered");
});

test("one document that the worker refuses fails; those that shared its requests do not", async () => {
  const embedder = open();
  worker.onRequest = ({ texts }) => {
    if (texts.includes("bad 1")) throw invalidArgument("HW_TEXT_BAD", "No.");
  };
  const results = await Promise.allSettled([
    embedder.embed(many(3, "good"), never),
    embedder.embed(many(3, "bad"), never),
    embedder.embed(many(3, "fine"), never),
  ]);
  assert.deepEqual(
    results.map((result) => result.status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  assert.equal(
    results[1]?.status === "rejected" && (results[1].reason as HeadwaterError).reason,
    "HW_TEXT_BAD",
  );
});

test("who leaves is forgotten, and the others go on", async () => {
  const embedder = open();
  const leave = new AbortController();
  const gate = Promise.withResolvers<void>();
  worker.onRequest = () => gate.promise;
  const left = embedder.embed(many(50, "left"), leave.signal);
  const stays = embedder.embed(many(3, "stays"), never);
  leave.abort();
  await assert.rejects(left, { name: "AbortError" });
  gate.resolve();
  assert.equal((await stays).length, 3);
});

test("what waits is known to the last token, and nothing waits once all is there or nobody wants it", async () => {
  const embedder = open(8, 2);
  const leave = new AbortController();
  const gate = Promise.withResolvers<void>();
  worker.onRequest = () => gate.promise;
  const stays = embedder.embed(many(5, "stays"), never);
  const left = embedder.embed(many(30, "left"), leave.signal);
  assert.deepEqual(demand.tokens, { urgent: 0, passages: 350 });
  leave.abort();
  await assert.rejects(left, { name: "AbortError" });
  assert.equal(demand.tokens.passages, 50);
  gate.resolve();
  await stays;
  assert.equal(demand.tokens.passages, 0);
});
