import assert from "node:assert/strict";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { readSettings } from "@headwater/settings";
import { temporaryFolder } from "@headwater/testing";
import { cacheSettings, openSecondTier } from "./index.ts";
import { readRedisServer } from "./redis-settings.ts";

const folder = await temporaryFolder();
const read = (env: Record<string, string> = {}) => readSettings(cacheSettings, env);

test("without an address the second tier is the disk, or none", async () => {
  const options = { name: "vectors", onError: assert.ifError };
  const tier = await openSecondTier(read(), {
    ...options,
    disk: { folder: join(folder, "c"), maxBytes: 2 ** 20 },
  });
  assert.equal(tier?.kind, "disk");
  await tier?.cache.close();
  assert.equal(await openSecondTier(read(), { ...options, disk: { folder, maxBytes: 0 } }), undefined);
});

test("with an address it is Redis, which need not be there: nothing is found, and it is told once", async () => {
  const nobody = createServer();
  await new Promise<void>((resolve) => nobody.listen(0, "127.0.0.1", resolve));
  const address = nobody.address();
  assert.ok(typeof address === "object" && address !== null);
  await new Promise((resolve) => nobody.close(resolve));
  const errors: unknown[] = [];
  const values = read({
    HEADWATER_REDIS_URL: `redis://127.0.0.1:${address.port}`,
    HEADWATER_REDIS_TIMEOUT_MS: "100",
  });
  const disk = { folder, maxBytes: 0 };
  const tier = await openSecondTier(values, { name: "v", disk, onError: (thrown) => errors.push(thrown) });
  assert.equal(tier?.kind, "redis");
  await tier?.cache.setMany([{ key: "k", value: Buffer.from("v") }]);
  assert.deepEqual(await tier?.cache.getMany(["k"]), [undefined]);
  assert.equal(errors.length, 1);
  assert.equal(Reflect.get(Object(errors[0]), "reason"), "HW_REDIS_UNAVAILABLE");
  await tier?.cache.close();
});

test("what is no address of Redis is refused, and so are two passwords", () => {
  for (const url of ["x", "http://h", "redis://h/name", "redis://h?x=1"])
    assert.throws(() => read({ HEADWATER_REDIS_URL: url }), { reason: "HW_SETTINGS_INVALID" }, url);
  const both = read({ HEADWATER_REDIS_PASSWORD: "a", HEADWATER_REDIS_PASSWORD_FILE: "b" });
  assert.throws(() => readRedisServer("redis://h", both), { reason: "HW_SETTINGS_INVALID" });
});
