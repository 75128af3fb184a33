import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { EmbeddingDemand } from "@headwater/load";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import { createRpcClient } from "@headwater/rpc";
import { FakeEmbeddingWorker, fakeDimensions } from "../testing/fake-embedding-worker.ts";
import { eventually } from "../testing/ingest-harness.ts";
import { Embedder } from "./embedder.ts";

const never = new AbortController().signal;
/** Milliseconds that a worker takes for a request: long enough that one alone cannot take all before others come. */
const requestMs = 10;

/** Workers on one port and as many loopback addresses, as pods behind a headless service are, and who calls them. */
class Workers {
  readonly all = new Map<string, FakeEmbeddingWorker>();
  readonly listed = new Set<string>();
  readonly troubles: string[] = [];
  #port = "0";
  #close: () => Promise<void> = async () => {};

  async add(host: string): Promise<FakeEmbeddingWorker> {
    const worker = new FakeEmbeddingWorker(`${host}:${this.#port}`);
    worker.onRequest = () => delay(requestMs);
    await worker.start();
    this.#port = worker.address.slice(worker.address.lastIndexOf(":") + 1);
    this.all.set(host, worker);
    this.listed.add(host);
    return worker;
  }

  open(): Embedder {
    const client = createRpcClient(EmbeddingServiceDefinition, `worker.test:${this.#port}`, {
      config: { resolveIntervalMs: 200 },
      lookup: async () => {
        if (this.listed.size === 0) throw new Error("no such name");
        return [...this.listed];
      },
    });
    const embedder = new Embedder({
      ...{ client, batch: 8, maxRequests: 4, dimensions: fakeDimensions, demand: new EmbeddingDemand() },
      checkWorker: async () => {},
      onTrouble: ({ reason }) => this.troubles.push(reason),
      onRecovered: () => this.troubles.push("recovered"),
    });
    this.#close = async () => {
      await embedder.close();
      client.close();
    };
    return embedder;
  }

  async close(): Promise<void> {
    await this.#close();
    for (const worker of this.all.values()) await worker.stop();
  }
}

function source(count: number, word: string) {
  return { length: count, tokens: 2 * count, text: (place: number) => `${word} ${place}` };
}

async function embed(embedder: Embedder, count: number, word: string): Promise<void> {
  const texts = source(count, word);
  const vectors = await embedder.embed(texts, never);
  assert.deepEqual(
    vectors.map((vector) => vector[0]),
    vectors.map((_, place) => texts.text(place).length),
  );
}

test("workers share the passages of one ingest, and one that comes gets its share at once", async (t) => {
  const workers = new Workers();
  try {
    const first = await workers.add("127.0.0.2");
    const second = await workers.add("127.0.0.3");
    const embedder = workers.open();
    await embed(embedder, 2000, "text");
    assert.equal(first.embedded.length + second.embedded.length, 2000);
    for (const { embedded } of [first, second]) assert(embedded.length > 500, `${embedded.length} of 2000`);
    t.diagnostic(`shares of 2,000 passages: ${first.embedded.length}, ${second.embedded.length}`);
    const third = await workers.add("127.0.0.4");
    const listedAt = performance.now();
    let over = false;
    const work = (async () => {
      while (!over) await embed(embedder, 200, "more");
    })();
    await eventually("the third worker has work", () => third.embedded.length > 0);
    t.diagnostic(
      `a third worker had passages ${Math.round(performance.now() - listedAt)} ms after it was listed`,
    );
    await eventually("it has its share", () => third.embedded.length > 100);
    over = true;
    await work;
    assert.deepEqual(workers.troubles, []);
  } finally {
    await workers.close();
  }
});

test("what a worker that dies has left goes to the others", async () => {
  const workers = new Workers();
  try {
    const first = await workers.add("127.0.0.2");
    const second = await workers.add("127.0.0.3");
    const embedder = workers.open();
    const work = embed(embedder, 3000, "text");
    await eventually("both work", () => first.embedded.length > 100 && second.embedded.length > 100);
    await first.stop();
    await work;
    assert(second.embedded.length > 1000, String(second.embedded.length));
  } finally {
    await workers.close();
  }
});

test("a worker that the name leaves out answers what it has, and gets no more", async () => {
  const workers = new Workers();
  try {
    const first = await workers.add("127.0.0.2");
    const second = await workers.add("127.0.0.3");
    const embedder = workers.open();
    const work = embed(embedder, 4000, "text");
    await eventually("both work", () => first.embedded.length > 100 && second.embedded.length > 100);
    workers.listed.delete("127.0.0.2");
    await work;
    // None was sent twice: nothing was cut off.
    assert.equal(first.embedded.length + second.embedded.length, 4000);
    assert.deepEqual(workers.troubles, []);
    const before = first.embedded.length;
    await embed(embedder, 100, "later");
    assert.equal(first.embedded.length, before);
  } finally {
    await workers.close();
  }
});

test("where there is no worker at all it is told, and work goes on with the first that comes", async () => {
  const workers = new Workers();
  try {
    await workers.add("127.0.0.2");
    workers.listed.clear();
    const embedder = workers.open();
    const work = embed(embedder, 10, "text");
    await eventually("it is told", () => workers.troubles.length > 0);
    workers.listed.add("127.0.0.2");
    await work;
    assert.deepEqual(
      [workers.troubles[0], workers.troubles.at(-1)],
      ["HW_EMBEDDING_UNAVAILABLE", "recovered"],
    );
  } finally {
    await workers.close();
  }
});
