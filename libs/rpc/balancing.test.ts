import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { HeadwaterError, status } from "@headwater/errors";
import { SearchServiceDefinition } from "@headwater/proto/services/headwater/v1/search";
import { silentTelemetry } from "@headwater/telemetry";
import type { RpcClient, RpcServer } from "./index.ts";
import { createRpcClient, startRpcServer } from "./index.ts";

/** Servers on one port and as many loopback addresses, as pods behind a headless service are, and a client of all. */
class Pods {
  readonly listed = new Set<string>();
  readonly calls = new Map<string, number>();
  readonly #servers = new Map<string, RpcServer>();
  lookups = 0;
  /** What a server does when asked, given its host. */
  answer: (host: string) => void | Promise<void> = () => {};
  #client: RpcClient<SearchServiceDefinition> | undefined;
  #port = "0";

  static async start(...hosts: string[]): Promise<Pods> {
    const pods = new Pods();
    for (const host of hosts) await pods.add(host);
    pods.#client = createRpcClient(SearchServiceDefinition, `search.test:${pods.#port}`, {
      config: { resolveIntervalMs: 200 },
      lookup: async () => {
        pods.lookups += 1;
        if (pods.listed.size === 0) throw new Error("no such name");
        return [...pods.listed];
      },
    });
    return pods;
  }

  async add(host: string): Promise<void> {
    const pods = this;
    const { calls } = pods;
    calls.set(host, 0);
    const server = await startRpcServer({
      address: `${host}:${this.#port}`,
      definition: SearchServiceDefinition,
      implementation: {
        async *search() {
          calls.set(host, (calls.get(host) ?? 0) + 1);
          await pods.answer(host);
          yield { event: { $case: "hits", value: { elapsedMs: 1 } } } as const;
        },
      },
      telemetry: silentTelemetry("search"),
      checkReadiness: async () => {},
    });
    this.#port = server.address.slice(server.address.lastIndexOf(":") + 1);
    this.#servers.set(host, server);
    this.listed.add(host);
  }

  async call(): Promise<void> {
    assert(this.#client);
    assert.equal((await Array.fromAsync(this.#client.call.search({ query: "x" }))).length, 1);
  }

  /** Calls until the host has got one; fails after a generous time. */
  async callUntilAsked(host: string): Promise<number> {
    const started = performance.now();
    while ((this.calls.get(host) ?? 0) === 0) {
      assert(performance.now() - started < 20_000, `${host} was not asked within 20 s`);
      await this.call();
      await delay(5);
    }
    return performance.now() - started;
  }

  async stop(host: string, graceMs = 2000): Promise<void> {
    await this.#servers.get(host)?.close(graceMs);
    this.#servers.delete(host);
  }

  async close(): Promise<void> {
    this.#client?.close();
    await Promise.all([...this.#servers.keys()].map((host) => this.stop(host, 0)));
  }
}

test("calls go to all addresses in turn, and to a new one though no old one has gone", async (t) => {
  const pods = await Pods.start("127.0.0.2", "127.0.0.3");
  try {
    await pods.callUntilAsked("127.0.0.2");
    await pods.callUntilAsked("127.0.0.3");
    await pods.add("127.0.0.4");
    const ms = await pods.callUntilAsked("127.0.0.4");
    t.diagnostic(`a new address was called ${Math.round(ms)} ms after it was listed`);
    const before = new Map(pods.calls);
    for (let call = 0; call < 30; call += 1) await pods.call();
    for (const [host, count] of pods.calls) assert.equal(count - (before.get(host) ?? 0), 10, host);
  } finally {
    await pods.close();
  }
});

test("a server that stops under load fails no call, listed or not, and one that comes back is asked again", async () => {
  const pods = await Pods.start("127.0.0.2", "127.0.0.3");
  try {
    await pods.callUntilAsked("127.0.0.2");
    await pods.callUntilAsked("127.0.0.3");
    let stopping = true;
    const load = Promise.all(
      Array.from({ length: 8 }, async () => {
        while (stopping) await pods.call();
      }),
    );
    await pods.stop("127.0.0.2");
    for (let call = 0; call < 20; call += 1) await pods.call();
    stopping = false;
    await load;
    await pods.add("127.0.0.2");
    await pods.callUntilAsked("127.0.0.2");
  } finally {
    await pods.close();
  }
});

test("a call that is cut, as its server's grace is over, is made again elsewhere", async () => {
  const pods = await Pods.start("127.0.0.2", "127.0.0.3");
  const asked = Promise.withResolvers<string>();
  const over = Promise.withResolvers<void>();
  try {
    pods.answer = async (host) => {
      asked.resolve(host);
      if (host === (await asked.promise)) await over.promise;
    };
    const call = pods.call();
    await pods.stop(await asked.promise, 0);
    await call;
  } finally {
    over.resolve();
    await pods.close();
  }
});

test("a name server that is away for a while stops no call, and is asked again", async () => {
  const pods = await Pods.start("127.0.0.2");
  try {
    await pods.call();
    pods.listed.clear();
    const { lookups } = pods;
    while (pods.lookups < lookups + 2) {
      await pods.call();
      await delay(20);
    }
    await pods.add("127.0.0.3");
    await pods.callUntilAsked("127.0.0.3");
  } finally {
    await pods.close();
  }
});

test("a call that a stopping server turned away is made again elsewhere; what a service lacks itself is told at once", async () => {
  const pods = await Pods.start("127.0.0.2", "127.0.0.3");
  const unavailable = (reason: `HW_${string}`) =>
    new HeadwaterError({ code: status.UNAVAILABLE, reason, message: "No.", action: "Wait." });
  try {
    await pods.callUntilAsked("127.0.0.2");
    await pods.callUntilAsked("127.0.0.3");
    pods.answer = (host) => {
      if (host === "127.0.0.2") throw unavailable("HW_SERVER_DRAINING");
    };
    for (let call = 0; call < 6; call += 1) await pods.call();
    const asked = () => [...pods.calls.values()].reduce((sum, count) => sum + count, 0);
    const before = asked();
    pods.answer = () => {
      throw unavailable("HW_ELASTICSEARCH_UNAVAILABLE");
    };
    await assert.rejects(pods.call(), { reason: "HW_ELASTICSEARCH_UNAVAILABLE", action: "Wait." });
    assert.equal(asked(), before + 1);
  } finally {
    await pods.close();
  }
});

test("a name without addresses is told as such", async () => {
  const pods = await Pods.start();
  try {
    await assert.rejects(pods.call(), { code: status.UNAVAILABLE, reason: "HW_SERVICE_UNAVAILABLE" });
  } finally {
    await pods.close();
  }
});
