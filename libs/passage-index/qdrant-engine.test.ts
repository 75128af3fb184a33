import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { status } from "@headwater/errors";
import { readSettings } from "@headwater/settings";
import { temporaryFolder } from "@headwater/testing";
import { tlsSuite } from "@headwater/testing/tls-suite";
import { dimensions, vectorOf } from "./conformance-documents.ts";
import { qdrantSettings, readQdrantOptions } from "./qdrant-options.ts";
import { openQdrantStore } from "./qdrant-store.ts";
import type { QdrantDouble, QdrantDoubleOptions } from "./testing/qdrant-double.ts";
import { startQdrantDouble } from "./testing/qdrant-double.ts";
import type { Call } from "./testing/qdrant-service.ts";
import { revised, vectorEngineConformance } from "./vector-engine-conformance.ts";

const doubles: QdrantDouble[] = [];
after(async () => {
  for (const double of doubles) await double.stop();
});

async function startDouble(options: QdrantDoubleOptions = {}): Promise<QdrantDouble> {
  const double = await startQdrantDouble(options);
  doubles.push(double);
  return double;
}

async function get(url: string): Promise<unknown> {
  return ((await (await fetch(url)).json()) as { result: unknown }).result;
}

type Settings = Readonly<Record<string, string>>;

function openStore(url: string, settings: Settings = {}) {
  const values = readSettings(qdrantSettings, { HEADWATER_QDRANT_URL: url, ...settings });
  const options = readQdrantOptions(values);
  assert(options);
  return openQdrantStore(options);
}

const behind = await startDouble();

tlsSuite("Qdrant (double)", {
  address: new URL(behind.url).host,
  reason: "HW_QDRANT_TLS_FAILED",
  async use({ host, port, caFile }) {
    const store = openStore(`https://${host}:${port}`, { HEADWATER_QDRANT_CA_FILE: caFile });
    try {
      await store.checkHealth();
      assert.equal(await store.active(), undefined);
    } finally {
      await store.close();
    }
  },
});

const description = { generation: "g1", fingerprint: { model: "m", chunking: "c" }, dimensions };
const filter = { tenant: "default" };
const everything = { visibleOnly: false };
const document = revised({ id: "a", texts: ["wing", "tail"] });

/** An engine on a double of its own, with one document. */
async function prepare(options: QdrantDoubleOptions = {}, settings: Settings = {}) {
  const calls: Call[] = [];
  const double = await startDouble({ onRequest: (call) => calls.push(call), ...options });
  const store = openStore(double.url, settings);
  const engine = await store.create(description);
  await store.activate("g1");
  await engine.write([document]);
  const search = (signal?: AbortSignal) =>
    engine.search(vectorOf("wing"), filter, 10, { ...everything, signal });
  return { double, store, engine, search, calls };
}

const shared = await startDouble();
vectorEngineConformance("Qdrant, its double", (place, largeTenants = []) =>
  openStore(shared.url, {
    HEADWATER_QDRANT_PREFIX: place,
    HEADWATER_QDRANT_LARGE_TENANTS: largeTenants.join(","),
  }),
);
vectorEngineConformance("Qdrant, its double, with other settings", (place, largeTenants = []) =>
  openStore(shared.url, {
    HEADWATER_QDRANT_PREFIX: place,
    HEADWATER_QDRANT_LARGE_TENANTS: largeTenants.join(", "),
    HEADWATER_QDRANT_TENANT_GRAPHS: "true",
    HEADWATER_QDRANT_QUANTIZATION: "false",
    HEADWATER_QDRANT_VECTORS_ON_DISK: "true",
    HEADWATER_QDRANT_BATCH_BYTES: "65536",
  }),
);

describe("the Qdrant engine", () => {
  const unavailable = { reason: "HW_QDRANT_UNAVAILABLE", code: status.UNAVAILABLE };

  test("a server that is down is UNAVAILABLE, the breaker opens, and it recovers by itself", async () => {
    const { double, store, engine, search, calls } = await prepare();
    await double.stop();
    await assert.rejects(search(), unavailable);
    await assert.rejects(engine.write([document]), unavailable);
    await assert.rejects(store.checkHealth(), unavailable);
    await assert.rejects(search(), { ...unavailable, message: "Qdrant does not answer." });
    const seen = calls.length;
    await double.start();
    while (calls.length === seen) {
      await delay(50);
      await search().catch(() => {});
    }
    assert.equal((await search()).length, 2);
    await store.checkHealth();
  });

  test("a server that hangs is given up after the time limit, and answers when it is back", async () => {
    const { double, engine: patient } = await prepare();
    const store = openStore(double.url, {
      HEADWATER_QDRANT_TIMEOUT_MS: "100",
      HEADWATER_QDRANT_WRITE_TIMEOUT_MS: "150",
    });
    const engine = store.open(description);
    double.freeze();
    await assert.rejects(engine.search(vectorOf("wing"), filter, 10, everything), {
      ...{ ...unavailable, message: "Qdrant did not answer within 100 ms." },
    });
    await assert.rejects(engine.write([document]), unavailable);
    double.thaw();
    for (;;) {
      const healthy = await store.checkHealth().then(
        () => true,
        () => false,
      );
      if (healthy) break;
      await delay(50);
    }
    assert.equal(await patient.count(), 2);
  });

  test("a search whose caller leaves ends at once, and its request is cut off", async () => {
    const { double, search } = await prepare();
    double.freeze();
    const left = new AbortController();
    const searching = search(left.signal);
    while (double.held === 0) await delay(5);
    left.abort();
    await assert.rejects(searching, { name: "AbortError" });
    while (double.held > 0) await delay(5);
    double.thaw();
    assert.equal((await search()).length, 2);
  });

  test("failures that pass are tried again, also of writes", async () => {
    const { double, engine, search } = await prepare();
    for (const code of [500, 503, 507, 408]) {
      double.failNext(1, code);
      assert.equal((await search()).length, 2, String(code));
    }
    double.failNext(2, 503);
    await engine.write([revised({ id: "b", texts: ["wing"] })]);
    assert.equal(await engine.count(), 3);
  });

  test("an overloaded server is RESOURCE_EXHAUSTED, with the time after which to try again", async () => {
    const { double, search } = await prepare();
    const overloaded = { reason: "HW_QDRANT_OVERLOADED", code: status.RESOURCE_EXHAUSTED };
    double.failNext(3, 429, { "retry-after": "7" });
    await assert.rejects(search(), { ...overloaded, retryAfterMs: 7000 });
    double.failNext(3, 429);
    await assert.rejects(search(), { ...overloaded, retryAfterMs: 1000 });
    assert.equal((await search()).length, 2);
  });

  test("a request that is refused blames the request, and is not tried again", async () => {
    const { double, search } = await prepare();
    double.failNext(1, 422);
    await assert.rejects(search(), {
      reason: "HW_QDRANT_REQUEST_REFUSED",
      code: status.INVALID_ARGUMENT,
      message: "Qdrant refused the request with 422.",
    });
    assert.equal((await search()).length, 2);
  });

  test("the API key is sent; without the right one work waits for somebody to mend it", async () => {
    const { double } = await prepare({ apiKey: "k1" }, { HEADWATER_QDRANT_API_KEY: "k1" });
    for (const settings of [{}, { HEADWATER_QDRANT_API_KEY: "k2" }]) {
      const store = openStore(double.url, settings);
      await assert.rejects(store.checkHealth(), { ...unavailable, message: "Qdrant refuses the API key." });
      await assert.rejects(store.open(description).write([document]), unavailable);
    }
  });

  test("writes wait until they are applied, in order", async () => {
    const { engine, calls } = await prepare();
    await engine.markVisible([document]);
    await engine.removeBelow([document]);
    await engine.removeRevisions([document]);
    const writes = calls.filter(({ path, method }) => path.includes("points") && method !== "GET");
    assert.equal(writes.length, 4);
    for (const { query } of writes)
      assert.deepEqual(Object.fromEntries(query), { wait: "true", ordering: "medium" });
  });

  test("a request stays below the size that is set, and a passage that is larger goes alone", async () => {
    const { engine, calls } = await prepare({}, { HEADWATER_QDRANT_BATCH_BYTES: "65536" });
    calls.length = 0;
    const texts = [...Array.from({ length: 100 }, () => '"é\n'.repeat(1000)), "x".repeat(100_000)];
    await engine.write([revised({ id: "b", texts })]);
    const sizes = calls.map(({ body }) => Buffer.byteLength(JSON.stringify(body)));
    assert(sizes.length > 10);
    for (const size of sizes.slice(0, -1)) assert(size <= 65_536 && size > 32_768, String(size));
    const alone = calls.at(-1)?.body as { points: unknown[] } | undefined;
    assert.equal(alone?.points.length, 1);
    assert.equal(await engine.count(), 2 + texts.length);
  });

  test("a search follows equal scores no further than it has to", async () => {
    const { engine, calls } = await prepare();
    const ids = Array.from({ length: 1500 }, (_, at) => `e${at}`);
    await engine.write(ids.map((id) => revised({ id, tenant: "equal", texts: ["x"], vector: [1] })));
    calls.length = 0;
    const limits = () => calls.splice(0).map(({ body }) => (body as { limit: number }).limit);
    await engine.search(vectorOf("wing"), filter, 1, everything);
    assert.deepEqual(limits(), [2]);
    const hits = await engine.search(vectorOf("x"), { tenant: "equal" }, 10, everything);
    assert.equal(hits.length, 10);
    assert.deepEqual(limits(), [11, 44, 176, 704, 1010]);
  });

  test("waits while Qdrant builds its indexes, wakes it where it sleeps, and says where it cannot", async () => {
    const { double, engine, calls } = await prepare();
    double.reportStatus("yellow");
    calls.length = 0;
    const optimizing = engine.optimize();
    while (calls.length < 3) await delay(5);
    double.reportStatus("grey");
    await optimizing;
    assert.equal(calls.filter(({ method }) => method === "PATCH").length, 1);
    double.reportStatus("red");
    await assert.rejects(engine.optimize(), { reason: "HW_QDRANT_OPTIMIZER_FAILED" });
  });

  test("what is not Headwater's is left alone", async () => {
    const { double, store } = await prepare();
    const put = (path: string, body: object) =>
      fetch(`${double.url}/collections/${path}`, { method: "PUT", body: JSON.stringify(body) });
    const vectors = { size: 4, distance: "Cosine" };
    await put("headwater-passages-foreign", { vectors });
    const longer = openStore(double.url, { HEADWATER_QDRANT_PREFIX: "headwater-passages-g1" });
    await longer.create({ ...description, generation: "g1" });
    assert.deepEqual(await store.list(), [description]);
    await store.drop("g1");
    await store.drop("foreign");
    assert.deepEqual(await store.list(), []);
    assert.deepEqual(await longer.list(), [description]);
    await store.activate("foreign");
    await assert.rejects(store.active(), { reason: "HW_QDRANT_ALIAS_FOREIGN" });
  });

  test("a generation whose making was cut short at any step is made whole", async () => {
    let cutAfter = 1;
    let calls = 0;
    const double = await startDouble({
      onRequest: () => {
        calls += 1;
        if (calls === cutAfter) double.failNext(1, 400);
      },
    });
    for (let made = false; !made; ) {
      const cut = { ...description, generation: `g${cutAfter}` };
      calls = 0;
      made = await openStore(double.url, { HEADWATER_QDRANT_LARGE_TENANTS: "large" })
        .create(cut)
        .then(
          () => true,
          () => false,
        );
      calls = Number.NEGATIVE_INFINITY;
      // Takes the fault where the making ended before it.
      await get(`${double.url}/aliases`);
      await (await openStore(double.url, { HEADWATER_QDRANT_LARGE_TENANTS: "large" }).create(cut)).count();
      cutAfter += 1;
    }
    const names = ((await get(`${double.url}/collections`)) as { collections: { name: string }[] })
      .collections;
    assert.equal(names.length, 2 * (cutAfter - 1));
    assert(cutAfter > 16);
    for (const { name } of names) {
      const info = (await get(`${double.url}/collections/${name}`)) as { payload_schema: object };
      assert.equal(Object.keys(info.payload_schema).length, 7, name);
    }
  });

  test("the double as a process keeps acknowledged writes over kill -9", { timeout: 60_000 }, async () => {
    const journal = join(await temporaryFolder(), "journal.jsonl");
    const main = join(import.meta.dirname, "testing/qdrant-double-main.ts");
    const start = async () => {
      const child = spawn(process.execPath, [main, "--data", journal], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const [url] = (await once(createInterface(child.stdout), "line")) as [string];
      return { child, store: openStore(url) };
    };
    const first = await start();
    const engine = await first.store.create(description);
    await first.store.activate("g1");
    await engine.write([document]);
    await engine.markVisible([document]);
    const killed = once(first.child, "exit");
    first.child.kill("SIGKILL");
    await killed;
    const second = await start();
    assert.deepEqual(await second.store.active(), description);
    const again = second.store.open(description);
    assert.equal((await again.search(vectorOf("wing"), filter, 9, { visibleOnly: true })).length, 2);
    const ended = once(second.child, "exit");
    second.child.kill("SIGTERM");
    assert.deepEqual(await ended, [0, null]);
  });
});
