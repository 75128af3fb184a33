import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, afterEach, describe, test } from "node:test";
import { readSettings } from "@headwater/settings";
import { realServer, startFlakyServer, until } from "@headwater/testing";
import { tlsSuite } from "@headwater/testing/tls-suite";
import { createClient } from "redis";
import type { Cache } from "./cache.ts";
import { cacheConformance } from "./conformance.ts";
import { cacheSettings, createMemoryCache, createTieredCache, openSecondTier } from "./index.ts";

const url = realServer("REDIS_URL");
if (url !== undefined) suite(url);

function suite(server: string): void {
  const prefix = `test-${randomUUID()}:`;
  const opened: { close(): Promise<void> }[] = [];
  const open = async (name: string, settings: Record<string, string> = {}, errors: unknown[] = []) => {
    const values = readSettings(cacheSettings, {
      HEADWATER_REDIS_URL: server,
      HEADWATER_REDIS_PREFIX: prefix,
      HEADWATER_REDIS_TIMEOUT_MS: "5000",
      ...settings,
    });
    const disk = { folder: "/nowhere", maxBytes: 0 };
    const tier = await openSecondTier(values, { name, disk, onError: (thrown) => errors.push(thrown) });
    assert.ok(tier);
    assert.equal(tier.kind, "redis");
    opened.push(tier.cache);
    return tier.cache;
  };
  const createAdmin = () => createClient({ url: server });
  const admin = async <T>(work: (client: ReturnType<typeof createAdmin>) => Promise<T>): Promise<T> => {
    const client = createAdmin();
    await client.connect();
    try {
      return await work(client);
    } finally {
      client.destroy();
    }
  };
  const openFlaky = async (settings: Record<string, string>, errors: unknown[]) => {
    const { hostname, port } = new URL(server);
    const way = await startFlakyServer(`${hostname}:${port || 6379}`);
    opened.push(way);
    const address = new URL(server);
    address.hostname = "127.0.0.1";
    address.port = String(way.port);
    const cache = await open("flaky", { HEADWATER_REDIS_URL: address.href, ...settings }, errors);
    return { way, cache };
  };
  const entry = { key: "k", value: Buffer.from("v") };
  const has = async (cache: Cache) => (await cache.getMany(["k"]))[0] !== undefined;

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((one) => one.close()));
  });
  after(() =>
    admin(async (client) => {
      for await (const keys of client.scanIterator({ MATCH: `${prefix}*`, COUNT: 1000 }))
        if (keys.length > 0) await client.unlink(keys);
    }),
  );

  cacheConformance("Redis", (name) => open(name));
  cacheConformance("memory, then Redis", async (name) =>
    createTieredCache([createMemoryCache({ maxBytes: 64 * 2 ** 20 }), await open(name)]),
  );

  describe("Redis: cache", () => {
    test("what one process keeps another finds; caches of other names do not", async () => {
      const [one, same, other] = [await open("a"), await open("a"), await open("b")];
      await one.setMany([entry]);
      assert.ok(await has(same));
      assert.ok(!(await has(other)));
    });

    test("entries go after their time", async () => {
      const cache = await open("time", { HEADWATER_REDIS_TTL_S: "60" });
      await cache.setMany([entry]);
      const left = await admin(async (client) => {
        const keys = await client.keys(`${prefix}time:*`);
        return await Promise.all(keys.map((key) => client.ttl(key)));
      });
      assert.equal(left.length, 1);
      assert.ok((left[0] ?? 0) > 0 && (left[0] ?? 0) <= 60, `${left[0]} s`);
    });

    test("a user signs in with the password of a setting; a wrong one is told and fails nobody", async () => {
      const user = `user-${randomUUID()}`;
      const password = randomUUID();
      await admin((client) =>
        client.sendCommand(["ACL", "SETUSER", user, "on", `>${password}`, `~${prefix}*`, "+@all"]),
      );
      const address = new URL(server);
      address.username = user;
      const errors: unknown[] = [];
      const settings = { HEADWATER_REDIS_URL: address.href, HEADWATER_REDIS_TIMEOUT_MS: "1000" };
      try {
        const cache = await open("user", { ...settings, HEADWATER_REDIS_PASSWORD: password }, errors);
        await cache.setMany([entry]);
        assert.ok(await has(cache));
        assert.deepEqual(errors, []);
        const locked = await open("user", { ...settings, HEADWATER_REDIS_PASSWORD: "wrong" }, errors);
        assert.ok(!(await has(locked)));
        assert.equal(errors.length, 1);
        assert.equal(Reflect.get(Object(errors[0]), "reason"), "HW_REDIS_FORBIDDEN");
      } finally {
        await admin((client) => client.sendCommand(["ACL", "DELUSER", user]));
      }
    });
  });

  tlsSuite("Redis", {
    address: new URL(server).host,
    reason: "HW_REDIS_TLS_FAILED",
    async use({ host, port, caFile }) {
      const address = new URL(server);
      address.protocol = "rediss:";
      address.host = `${host}:${port}`;
      const errors: unknown[] = [];
      const settings = { HEADWATER_REDIS_URL: address.href, HEADWATER_REDIS_TIMEOUT_MS: "1000" };
      const cache = await open("tls", { ...settings, HEADWATER_REDIS_CA_FILE: caFile }, errors);
      await cache.setMany([entry]);
      const found = await has(cache);
      // A cache fails nobody: it tells.
      if (errors.length > 0) throw errors[0];
      assert.ok(found);
    },
  });

  describe("Redis: faults", () => {
    test("while it is away nothing is there, nobody waits, and it is told once; then it is used again", async () => {
      const errors: unknown[] = [];
      const { way, cache } = await openFlaky({}, errors);
      await cache.setMany([entry]);
      assert.ok(await has(cache));
      await way.cut();
      await until("the loss is noticed", async () => !(await has(cache)));
      const began = performance.now();
      for (let i = 0; i < 1000; i += 1) {
        await cache.setMany([entry]);
        assert.ok(!(await has(cache)));
      }
      const took = performance.now() - began;
      assert.ok(took < 5000, `2,000 calls took ${took} ms`);
      assert.equal(errors.length, 1);
      assert.equal(Reflect.get(Object(errors[0]), "reason"), "HW_REDIS_UNAVAILABLE");
      await way.restore();
      await until("it is used again", () => has(cache));
      await way.cut();
      await until("the second loss is told", async () => !(await has(cache)) && errors.length === 2);
    });

    test("one that says nothing costs a few timeouts, then nothing", async () => {
      const errors: unknown[] = [];
      const { way, cache } = await openFlaky({ HEADWATER_REDIS_TIMEOUT_MS: "100" }, errors);
      await until("it is there", async () => {
        await cache.setMany([entry]);
        return await has(cache);
      });
      way.freeze();
      const began = performance.now();
      for (let i = 0; i < 1000; i += 1) assert.ok(!(await has(cache)));
      const took = performance.now() - began;
      assert.ok(took < 20_000, `1,000 calls took ${took} ms`);
      await way.restore();
      await until("it is used again", () => has(cache));
    });

    test("a process may start while it is away", async () => {
      const errors: unknown[] = [];
      const { way } = await openFlaky({}, []);
      await way.cut();
      const address = `redis://127.0.0.1:${way.port}`;
      const cache = await open(
        "late",
        { HEADWATER_REDIS_URL: address, HEADWATER_REDIS_TIMEOUT_MS: "200" },
        errors,
      );
      assert.ok(!(await has(cache)));
      assert.equal(errors.length, 1);
      await way.restore();
      await until("it is used", async () => {
        await cache.setMany([entry]);
        return await has(cache);
      });
    });
  });
}
