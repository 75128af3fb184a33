import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { readSettings } from "@headwater/settings";
import { temporaryFolder } from "@headwater/testing";
import { qdrantSettings, readQdrantOptions } from "./qdrant-options.ts";
import { openQdrantStore } from "./qdrant-store.ts";

function read(env: Readonly<Record<string, string>>) {
  return readQdrantOptions(readSettings(qdrantSettings, env));
}

test("without an address there is no Qdrant", () => {
  assert.equal(read({}), undefined);
});

test("the key may come from a file, and large tenants are a list", async () => {
  const file = join(await temporaryFolder(), "key");
  await writeFile(file, "secret\n");
  const options = read({
    HEADWATER_QDRANT_URL: "https://qdrant:6333",
    HEADWATER_QDRANT_API_KEY_FILE: file,
    HEADWATER_QDRANT_LARGE_TENANTS: "acme, other",
  });
  assert.deepEqual([options?.apiKey, options?.largeTenants], ["secret", ["acme", "other"]]);
});

test("what cannot be right is refused", () => {
  const url = { HEADWATER_QDRANT_URL: "http://qdrant" };
  for (const wrong of [
    { HEADWATER_QDRANT_URL: "qdrant:6333" },
    { ...url, HEADWATER_QDRANT_PREFIX: "a/b" },
    { ...url, HEADWATER_QDRANT_LARGE_TENANTS: "a,,b" },
    { ...url, HEADWATER_QDRANT_HNSW_M: "0" },
    { ...url, HEADWATER_QDRANT_API_KEY: "a", HEADWATER_QDRANT_API_KEY_FILE: "b" },
  ])
    assert.throws(() => read(wrong), { reason: "HW_SETTINGS_INVALID" }, JSON.stringify(wrong));
});

test("an address may have a path", async () => {
  const paths: (string | undefined)[] = [];
  const server = createServer(({ url }, response) => {
    paths.push(url);
    response.end(JSON.stringify({ result: { aliases: [] } }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const options = read({ HEADWATER_QDRANT_URL: `http://127.0.0.1:${port}/behind/proxy/` });
  assert(options);
  const store = openQdrantStore(options);
  await store.checkHealth();
  assert.equal(await store.active(), undefined);
  assert.deepEqual(paths, ["/behind/proxy/readyz", "/behind/proxy/aliases", "/behind/proxy/aliases"]);
  server.closeAllConnections();
  server.close();
});
