import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { Code, createHeadwaterClient, HeadwaterClientError } from "@headwater/client";
import { createNodeTransport } from "@headwater/client/node";
import { HeadwaterError } from "@headwater/errors";
import { temporaryFolder } from "@headwater/testing";
import { WebSocket } from "ws";
import { readGatewayConfig } from "./config.ts";
import { failureOf, startFixture } from "./testing/fixture.ts";

const keysFile = join(await temporaryFolder(), "keys");
const hashed = createHash("sha256").update("key-of-globex").digest("hex");
await writeFile(
  keysFile,
  `# keys\nkey-of-acme acme\nsha256:${hashed}\tglobex\nkey-of-ada acme ada\nkey-of-many acme *\n`,
);
const guarded = await startFixture({
  HEADWATER_GATEWAY_API_KEYS_FILE: keysFile,
  HEADWATER_GATEWAY_CORS_ORIGINS: "https://app.example",
});
const open = await startFixture();
const limited = await startFixture({ HEADWATER_GATEWAY_RATE_LIMIT: "3" });
const narrow = await startFixture({ HEADWATER_GATEWAY_MAX_ACTIVE: "1" });
const acme = { authorization: "Bearer key-of-acme" };

/** Sends a request with a Host header that fetch would not let through. */
async function withHost(host: string, path = "/v1/pipeline"): Promise<{ status: number; body: string }> {
  const request = httpRequest(open.url(path), { headers: { host } });
  request.end();
  const [response] = (await once(request, "response")) as [import("node:http").IncomingMessage];
  let body = "";
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode ?? 0, body };
}

test("with keys set, a request needs one, and the tenant follows from it", async () => {
  const missing = await failureOf(await guarded.post("/v1/search", { query: "x" }));
  assert.deepEqual([missing.status, missing.reason], [401, "HW_CREDENTIALS_MISSING"]);
  const unknown = await fetch(guarded.url("/v1/pipeline"), { headers: { authorization: "Bearer nope" } });
  assert.match(unknown.headers.get("www-authenticate") ?? "", /^Bearer/);
  assert.equal((await failureOf(unknown)).reason, "HW_CREDENTIALS_UNKNOWN");
  for (const [key, tenant] of [
    ["key-of-acme", "acme"],
    ["key-of-globex", "globex"],
  ]) {
    const response = await fetch(guarded.url("/v1/pipeline"), {
      headers: { authorization: `Bearer ${key}` },
    });
    assert.equal(response.status, 200);
    assert.equal(guarded.doubles.seen.tenant, tenant);
  }
  const other = await failureOf(
    await fetch(guarded.url("/v1/pipeline"), { headers: { ...acme, "x-headwater-tenant": "globex" } }),
  );
  assert.deepEqual([other.status, other.reason], [403, "HW_TENANT_FORBIDDEN"]);
  for (const path of ["/health", "/health/live", "/health/ready"])
    assert.equal((await fetch(guarded.url(path))).status, 200);
  assert.equal((await fetch(guarded.url("/metrics"))).status, 401);
});

test("whose conversations they are follows from the key, or from the request where the key names nobody", async () => {
  const call = async (key: string | undefined, options: { header?: string; field?: string } = {}) => {
    const transport = createNodeTransport({
      baseUrl: key === undefined ? open.baseUrl : guarded.baseUrl,
      ...(key === undefined ? {} : { apiKey: key }),
    });
    const client = createHeadwaterClient({ transport, owner: options.field ?? "" });
    const headers = options.header === undefined ? {} : { "x-headwater-owner": options.header };
    try {
      await client.conversations.list({ headers });
      return (key === undefined ? open : guarded).doubles.seen.owner;
    } catch (thrown) {
      assert(thrown instanceof HeadwaterClientError);
      return thrown.reason;
    } finally {
      transport.close();
    }
  };
  assert.equal(await call("key-of-ada"), "ada");
  assert.equal(await call("key-of-ada", { header: "ada", field: "ada" }), "ada");
  assert.equal(await call("key-of-ada", { header: "bob" }), "HW_OWNER_FORBIDDEN");
  assert.equal(await call("key-of-ada", { field: "bob" }), "HW_OWNER_FORBIDDEN");
  assert.equal(await call("key-of-acme"), "default");
  assert.equal(await call("key-of-acme", { header: "bob" }), "HW_OWNER_FORBIDDEN");
  assert.equal(await call("key-of-many", { header: "bob" }), "bob");
  assert.equal(await call("key-of-many", { field: "eve@example.org" }), "eve@example.org");
  assert.equal(await call(undefined, { header: "bob" }), "bob");
  assert.equal(await call(undefined, { header: "bob", field: "eve" }), "eve");
  assert.equal(await call(undefined, { header: "b o b" }), "HW_OWNER_INVALID");
});

test("over gRPC and Connect the same rules hold, in the words of the protocol", async () => {
  for (const protocol of ["grpc", "connect", "grpc-web"] as const) {
    const call = async (apiKey: string | undefined, tenant: string) => {
      const transport = createNodeTransport({
        baseUrl: guarded.baseUrl,
        protocol,
        ...(apiKey === undefined ? {} : { apiKey }),
      });
      const client = createHeadwaterClient({ transport, tenant });
      try {
        for await (const _ of client.documents.push([{ id: "a", content: "x" }]));
        await client.pipeline();
        return "passed";
      } catch (thrown) {
        assert(thrown instanceof HeadwaterClientError);
        return `${Code[thrown.code]} ${thrown.reason}`;
      } finally {
        transport.close();
      }
    };
    assert.equal(await call(undefined, ""), "Unauthenticated HW_CREDENTIALS_MISSING");
    assert.equal(await call("key-of-acme", "globex"), "PermissionDenied HW_TENANT_FORBIDDEN");
    assert.equal(await call("key-of-acme", ""), "passed");
    assert.equal(guarded.doubles.seen.tenant, "acme");
  }
});

test("a browser names its key as a subprotocol of the WebSocket, and it is not echoed", async () => {
  const url = `${guarded.baseUrl.replace("http", "ws")}/v1/ws`;
  const refused = new WebSocket(url, ["headwater.v1"]);
  await assert.rejects(once(refused, "open"), /401/);
  const socket = new WebSocket(url, ["headwater.v1", "bearer.key-of-globex"]);
  await once(socket, "open");
  assert.equal(socket.protocol, "headwater.v1");
  socket.send(JSON.stringify({ id: "1", type: "search", request: { query: "tides" } }));
  await once(socket, "message");
  assert.equal(guarded.doubles.seen.tenant, "globex");
  socket.close();
  await once(socket, "close");
});

test("without keys the tenant is the header's, and one that cannot be is refused", async () => {
  await fetch(open.url("/v1/pipeline"), { headers: { "x-headwater-tenant": "globex" } });
  assert.equal(open.doubles.seen.tenant, "globex");
  const invalid = await failureOf(
    await fetch(open.url("/v1/pipeline"), { headers: { "x-headwater-tenant": "a b" } }),
  );
  assert.deepEqual([invalid.status, invalid.reason], [400, "HW_TENANT_INVALID"]);
});

test("on loopback only its own names are answered, and no other origin may change anything", async () => {
  assert.equal((await withHost("localhost:8080")).status, 200);
  assert.equal((await withHost("[::1]:8080")).status, 200);
  const rebound = await withHost("evil.example:8080");
  assert.deepEqual([rebound.status, /HW_HOST_FORBIDDEN/.test(rebound.body)], [403, true]);
  const cross = await failureOf(
    await open.post("/v1/search", { query: "x" }, { origin: "https://evil.example" }),
  );
  assert.deepEqual([cross.status, cross.reason], [403, "HW_ORIGIN_FORBIDDEN"]);
  assert.equal((await open.post("/v1/search", { query: "tides" }, { origin: open.baseUrl })).status, 200);
  assert.equal((await open.post("/v1/search", { query: "tides" }, { origin: "null" })).status, 403);
});

test("a front-end of an allowed origin may call and read", async () => {
  const preflight = await fetch(guarded.url("/headwater.v1.SearchService/Search"), {
    method: "OPTIONS",
    headers: {
      origin: "https://app.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "connect-protocol-version,authorization",
    },
  });
  assert.equal(preflight.headers.get("access-control-allow-origin"), "https://app.example");
  assert.match(preflight.headers.get("access-control-allow-headers") ?? "", /Connect-Protocol-Version/);
  const response = await guarded.post(
    "/v1/search",
    { query: "tides" },
    { ...acme, origin: "https://app.example" },
  );
  assert.equal(response.status, 200);
  assert.match(response.headers.get("access-control-expose-headers") ?? "", /x-request-id/);
  const foreign = await guarded.post(
    "/v1/search",
    { query: "tides" },
    { ...acme, origin: "https://evil.example" },
  );
  assert.equal(foreign.status, 403);
  assert.equal(foreign.headers.get("access-control-allow-origin"), null);
});

test("beyond its rate a caller hears 429, and over Connect the same", async () => {
  for (let count = 0; count < 3; count += 1)
    assert.equal((await fetch(limited.url("/v1/pipeline"))).status, 200);
  const response = await fetch(limited.url("/v1/pipeline"));
  assert(Number(response.headers.get("retry-after")) > 0);
  const failure = await failureOf(response);
  assert.deepEqual([failure.status, failure.reason], [429, "HW_RATE_LIMITED"]);
  const client = createHeadwaterClient({ baseUrl: limited.baseUrl });
  await assert.rejects(client.pipeline(), (thrown: unknown) => {
    assert(thrown instanceof HeadwaterClientError);
    assert.deepEqual([thrown.code, thrown.reason], [Code.ResourceExhausted, "HW_RATE_LIMITED"]);
    assert((thrown.retryAfterMs ?? 0) > 0);
    return true;
  });
  assert.equal((await fetch(limited.url("/health"))).status, 200);
});

test("beyond the places there are, the answer is 503 at once; a place is free again when its holder leaves", async () => {
  const leaving = new AbortController();
  const holder = await fetch(narrow.url("/v1/watch"), { signal: leaving.signal });
  assert.equal(holder.status, 200);
  const full = await fetch(narrow.url("/v1/pipeline"));
  assert.equal(full.headers.get("retry-after"), "1");
  const failure = await failureOf(full);
  assert.deepEqual([failure.status, failure.reason], [503, "HW_OVERLOADED"]);
  assert.equal((await fetch(narrow.url("/health/live"))).status, 200);
  leaving.abort();
  let status = 503;
  for (let tries = 0; status === 503 && tries < 200; tries += 1)
    status = (await fetch(narrow.url("/v1/pipeline"))).status;
  assert.equal(status, 200);
});

test("another address than loopback needs keys, or the operator's word", () => {
  const listen = { HEADWATER_GATEWAY_LISTEN: "0.0.0.0:8080" };
  const refused = (env: Record<string, string>, reason: string) =>
    assert.throws(
      () => readGatewayConfig(env),
      (thrown: unknown) => thrown instanceof HeadwaterError && thrown.reason === reason,
    );
  refused(listen, "HW_CREDENTIALS_REQUIRED");
  refused({ HEADWATER_GATEWAY_API_KEYS: "only-a-key" }, "HW_API_KEYS_INVALID");
  refused({ HEADWATER_GATEWAY_API_KEYS: "key tenant owner!" }, "HW_API_KEYS_INVALID");
  refused({ HEADWATER_GATEWAY_API_KEYS: "key tenant owner more" }, "HW_API_KEYS_INVALID");
  refused({ HEADWATER_GATEWAY_API_KEYS_FILE: "/nowhere/keys" }, "HW_API_KEYS_INVALID");
  refused({ HEADWATER_GATEWAY_LISTEN: "8080", HEADWATER_GATEWAY_MAX_ACTIVE: "0" }, "HW_SETTINGS_INVALID");
  assert.equal(readGatewayConfig({ ...listen, HEADWATER_GATEWAY_API_KEYS: "a b,c d" }).apiKeys.length, 2);
  assert.equal(readGatewayConfig({ ...listen, HEADWATER_GATEWAY_ALLOW_ANONYMOUS: "true" }).hosts, undefined);
});
