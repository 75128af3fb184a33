import assert from "node:assert/strict";
import { test } from "node:test";
import { failureOf, startFixture } from "../testing/fixture.ts";

const fixture = await startFixture({ HEADWATER_GATEWAY_API_KEYS: "alpha-key acme\nbeta-key rival" });
const alpha = { authorization: "Bearer alpha-key" };

interface Created {
  upload: string;
  method: string;
  url: string;
  headers: Record<string, string>;
  expires_time: string;
}

async function create(id: string, sizeBytes: number): Promise<Created> {
  const response = await fixture.post("/v1/uploads", { id, size_bytes: sizeBytes }, alpha);
  assert.equal(response.status, 201);
  return (await response.json()) as Created;
}

test("where the blob store is a folder the bytes go to the gateway, and the document refers to them", async () => {
  const { upload, method, url, headers, expires_time } = await create("up/a.txt", 300_000);
  assert.equal(fixture.doubles.seen.tenant, "acme");
  assert.deepEqual([method, headers], ["PUT", {}]);
  assert.ok(Number.isFinite(Date.parse(expires_time)));

  // As a front-end does it: no credentials, whatever the address is relative to.
  const body = "x".repeat(300_000);
  const stored = await fetch(new URL(url, fixture.baseUrl), { method, headers, body });
  assert.equal(stored.status, 200, await stored.clone().text());
  assert.deepEqual(await stored.json(), { upload });

  const pushed = await fixture.post("/v1/documents", { id: "up/a.txt", title: "A", upload }, alpha);
  assert.equal(pushed.status, 202);
  const original = await fetch(fixture.url("/v1/documents/up%2Fa.txt/original"), { headers: alpha });
  assert.equal(await original.text(), body);
});

test("where it has an address the bytes go there, and the original comes from there", async () => {
  const { url, headers } = await create("direct/a", 5);
  assert.match(url, /^https:\/\/blobs\.example\.org\//);
  assert.deepEqual(headers, { "if-none-match": "*" });
  await fixture.post("/v1/documents", { id: "direct/b", text: "x" }, alpha);
  const original = await fetch(fixture.url("/v1/documents/direct%2Fb/original"), {
    headers: alpha,
    redirect: "manual",
  });
  assert.equal(original.status, 302);
  assert.equal(original.headers.get("location"), "https://blobs.example.org/direct/b");
  assert.equal(original.headers.get("cache-control"), "no-store");
});

test("a key is needed to create an upload and to refer to one, and another tenant's is not had", async () => {
  const nobody = await failureOf(await fixture.post("/v1/uploads", { id: "a", size_bytes: 1 }));
  assert.deepEqual([nobody.status, nobody.reason], [401, "HW_CREDENTIALS_MISSING"]);
  const { upload, url } = await create("mine", 1);
  await fetch(new URL(url, fixture.baseUrl), { method: "PUT", body: "x" });
  const stolen = await fixture.post(
    "/v1/documents",
    { id: "mine", upload },
    { authorization: "Bearer beta-key" },
  );
  assert.equal((await failureOf(stolen)).status, 400);
});

test("what is no upload is refused", async () => {
  for (const body of [
    {},
    { id: "a" },
    { id: "a", size_bytes: 0 },
    { id: "a", size_bytes: 1, tenant: "rival" },
  ]) {
    const failure = await failureOf(await fixture.post("/v1/uploads", body, alpha));
    assert.equal(failure.status, 400);
  }
  const unknown = await fetch(fixture.url("/v1/uploads/nonsense"), { method: "PUT", body: "x" });
  assert.equal((await failureOf(unknown)).reason, "HW_UPLOAD_TOKEN_INVALID");
  const both = await fixture.post("/v1/documents", { id: "a", text: "x", upload: "uploads/x" }, alpha);
  assert.equal((await failureOf(both)).status, 400);
});
