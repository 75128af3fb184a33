import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { readSettings } from "@headwater/settings";
import { temporaryFolder } from "@headwater/testing";
import { openPassageIndexStore, passageIndexSettings } from "./index.ts";

const folder = await temporaryFolder();
const elastic = { HEADWATER_ELASTICSEARCH_URL: "http://127.0.0.1:9" };
const both = { ...elastic, HEADWATER_QDRANT_URL: "http://127.0.0.1:9" };

function open(env: Readonly<Record<string, string>>, name = "index") {
  const values = readSettings(passageIndexSettings, env);
  return openPassageIndexStore(values, {
    folder: join(folder, name),
    onError: (error) => assert.fail(String(error)),
  });
}

/** What the server is asked, by a server that refuses everybody. */
async function requestsOf(env: (url: string) => Readonly<Record<string, string>>) {
  const requests: { readonly url: string | undefined; readonly authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    requests.push({ url: request.url, authorization: request.headers.authorization });
    response.writeHead(401, { "content-type": "application/json", "x-elastic-product": "Elasticsearch" });
    response.end('{"error":{"type":"security_exception"},"status":401}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const store = await open({ ...env(url), HEADWATER_QDRANT_URL: url });
  await assert.rejects(store.generations(), { reason: "HW_ELASTICSEARCH_UNAVAILABLE" });
  await store.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  return requests;
}

describe("which passage index is opened", () => {
  test("without an address it is the embedded one", async () => {
    const store = await open({});
    assert.equal(await store.active(), undefined);
    await store.checkHealth();
    await store.close();
  });

  test("one address alone is refused, and the message names the other", async () => {
    await assert.rejects(open(elastic), {
      reason: "HW_SETTINGS_INVALID",
      message:
        "1 setting is not valid:\n  HEADWATER_QDRANT_URL: unset, while HEADWATER_ELASTICSEARCH_URL is set: the index needs both, or neither for the embedded one",
    });
    await assert.rejects(open({ HEADWATER_QDRANT_URL: "http://127.0.0.1:9" }), {
      reason: "HW_SETTINGS_INVALID",
      message: /HEADWATER_ELASTICSEARCH_URL: unset, while HEADWATER_QDRANT_URL is set/,
    });
  });

  test("with both it is the pair, which says when it cannot be reached", async () => {
    const store = await open(both);
    await assert.rejects(store.checkHealth(), { reason: /^HW_(ELASTICSEARCH|QDRANT)_UNAVAILABLE$/ });
    await store.close();
  });

  test("the server is told a user and password, or a key, also out of files", async () => {
    const password = join(folder, "password");
    await writeFile(password, "geheim\n");
    const byUser = await requestsOf((url) => ({
      HEADWATER_ELASTICSEARCH_URL: url,
      HEADWATER_ELASTICSEARCH_USERNAME: "headwater",
      HEADWATER_ELASTICSEARCH_PASSWORD_FILE: password,
    }));
    const basic = `Basic ${Buffer.from("headwater:geheim").toString("base64")}`;
    assert(byUser.some(({ authorization }) => authorization === basic));
    const byKey = await requestsOf((url) => ({
      HEADWATER_ELASTICSEARCH_URL: url,
      HEADWATER_ELASTICSEARCH_API_KEY: "a2V5",
    }));
    assert(byKey.some(({ authorization }) => authorization === "ApiKey a2V5"));
  });

  test("settings that contradict each other are refused", async () => {
    const cases: [Readonly<Record<string, string>>, RegExp][] = [
      [{ HEADWATER_ELASTICSEARCH_USERNAME: "u" }, /USERNAME: a user and a password go together/],
      [{ HEADWATER_ELASTICSEARCH_PASSWORD: "p" }, /USERNAME: a user and a password go together/],
      [
        {
          HEADWATER_ELASTICSEARCH_USERNAME: "u",
          HEADWATER_ELASTICSEARCH_PASSWORD: "p",
          HEADWATER_ELASTICSEARCH_API_KEY: "k",
        },
        /API_KEY: set either a key or a user/,
      ],
      [{ HEADWATER_ELASTICSEARCH_CA_FILE: join(folder, "none") }, /CA_FILE: the file cannot be read/],
    ];
    for (const [env, message] of cases)
      await assert.rejects(open({ ...both, ...env }), { reason: "HW_SETTINGS_INVALID", message });
    assert.throws(
      () => readSettings(passageIndexSettings, { HEADWATER_ELASTICSEARCH_URL: "http://a,localhost:9200" }),
      { reason: "HW_SETTINGS_INVALID" },
    );
  });
});
