import assert from "node:assert/strict";
import { request } from "node:http";
import { afterEach, describe, test } from "node:test";
import { until } from "@headwater/testing";
import type { ClientOptions, VersionNegotiationMode } from "@modelcontextprotocol/client";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as FirstClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as FirstTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Fixture } from "../testing/fixture.ts";
import { failureOf, startFixture } from "../testing/fixture.ts";

const open = await startFixture();
const signedIn = await startFixture({ HEADWATER_GATEWAY_API_KEYS: "opensesame island" });

const clients: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

async function connect(
  fixture: Fixture,
  mode: VersionNegotiationMode = "auto",
  headers: Record<string, string> = {},
  more: ClientOptions = {},
): Promise<Client> {
  const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode }, ...more });
  const transport = new StreamableHTTPClientTransport(new URL(fixture.url("/mcp")), {
    requestInit: { headers },
  });
  await client.connect(transport);
  clients.push(client);
  return client;
}

async function pushTides(fixture: Fixture, headers: Record<string, string> = {}): Promise<void> {
  const content = "Spring tides come at new moon.";
  const pushed = await fixture.post(
    "/v1/documents",
    { id: "sea/tides.md", title: "Tides", text: content },
    headers,
  );
  assert.equal(pushed.status, 202, await pushed.text());
}

for (const mode of ["auto", "legacy"] as const) {
  describe(`the official client, ${mode === "auto" ? "2026-07-28" : "2025-11-25"}`, () => {
    test("lists the tools, with what they take and give", async () => {
      const client = await connect(open, mode);
      assert.equal(client.getProtocolEra(), mode === "auto" ? "modern" : "legacy");
      assert.match(client.getInstructions() ?? "", /never follow instructions/);
      const { tools } = await client.listTools();
      assert.deepEqual(tools.map(({ name }) => name).sort(), [
        "ask",
        "fetch_document",
        "list_documents",
        "search",
      ]);
      for (const { annotations, outputSchema, description } of tools) {
        assert.equal(annotations?.readOnlyHint, true);
        assert.equal(outputSchema?.["type"], "object");
        assert((description ?? "").length > 50);
      }
    });

    test("searches", async () => {
      const client = await connect(open, mode);
      const found = await client.callTool({ name: "search", arguments: { query: "tides", limit: 3 } });
      assert.equal(open.doubles.seen.searchRequest?.pageSize, 3);
      const { passages, notes } = found.structuredContent as { passages: object[]; notes: string[] };
      assert.deepEqual(passages, [
        {
          ...{ document_id: "guide/tides.md", title: "Tides", uri: "https://example.org/tides" },
          ...{
            text: "Spring tides come at new moon and at full moon.",
            page: 2,
            heading_path: ["Sea", "Tides"],
          },
          ...{ start: 10, end: 57 },
        },
      ]);
      assert.deepEqual(notes, ["The vector index is down."]);
      assert.match(JSON.stringify(found.content), /\[1\] Tides, p\. 2, Sea › Tides \(id guide\/tides\.md\)/);
    });

    test("asks, and hears how far the answer has come", async () => {
      const client = await connect(open, mode);
      const heard: number[] = [];
      const answer = await client.callTool(
        { name: "ask", arguments: { question: "When are spring tides?" } },
        { onprogress: ({ progress }) => void heard.push(progress) },
      );
      const { answer: text, supported, citations } = answer.structuredContent as Record<string, unknown>;
      assert.equal(supported, true);
      assert.equal(text, "At new moon and full moon. [1]");
      assert.equal((citations as { document_id: string }[])[0]?.document_id, "guide/tides.md");
      assert(heard.length >= 2);
      assert.deepEqual(
        heard,
        heard.toSorted((a, b) => a - b),
      );
    });

    test("reads documents, as tools and as resources", async () => {
      await pushTides(open);
      const client = await connect(open, mode);
      const { structuredContent: listed } = await client.callTool({ name: "list_documents", arguments: {} });
      const { documents } = listed as { documents: { document_id: string }[] };
      assert(documents.some(({ document_id }) => document_id === "sea/tides.md"));
      const { structuredContent: read } = await client.callTool({
        name: "fetch_document",
        arguments: { document_id: "sea/tides.md", start: 0, end: 12 },
      });
      assert.deepEqual(read, {
        ...{ document_id: "sea/tides.md", title: "Tides", uri: "", text: "Spring tides" },
        ...{ start: 0, end: 12, text_length: 30 },
      });
      const { resources } = await client.listResources();
      const uri = resources.find(({ title }) => title === "Tides")?.uri;
      assert.equal(uri, "headwater://documents/sea%2Ftides.md");
      const { contents } = await client.readResource({ uri });
      assert.equal(
        contents[0] && "text" in contents[0] && contents[0].text,
        "Spring tides come at new moon.",
      );
      await assert.rejects(
        client.readResource({ uri: "headwater://documents/none" }),
        /There is no document of this id/,
      );
    });

    test("a failure is told to the assistant, without our inside", async () => {
      const client = await connect(open, mode);
      const missing = await client.callTool({ name: "fetch_document", arguments: { document_id: "none" } });
      assert.equal(missing.isError, true);
      assert.match(JSON.stringify(missing.content), /no document of this id.*HW_DOCUMENT_NOT_FOUND/);
      const bug = await client.callTool({ name: "search", arguments: { query: "bug" } });
      assert.equal(bug.isError, true);
      assert.doesNotMatch(JSON.stringify(bug.content), /secret of the house/);
      const wrong = await client
        .callTool({ name: "search", arguments: { query: "tides", limit: 5000 } })
        .then(
          (result) => JSON.stringify(result),
          (thrown: unknown) => String(thrown),
        );
      assert.match(wrong, /limit/);
    });
  });
}

test("a call that the assistant cancels stops the work behind it", async () => {
  const client = await connect(open);
  const leaving = new AbortController();
  const { cancelled, produced } = open.doubles.seen;
  const asked = client.callTool(
    { name: "ask", arguments: { question: "endless" } },
    { signal: leaving.signal },
  );
  asked.catch(() => {});
  await until("the answer's begin", () => open.doubles.seen.produced > produced);
  leaving.abort();
  await assert.rejects(asked);
  await until("the end of the answer", () => open.doubles.seen.cancelled > cancelled);
});

test("the first line of the official client, as assistants have it, lists and calls the tools", async () => {
  const client = new FirstClient({ name: "test", version: "1" });
  const transport = new FirstTransport(new URL(open.url("/mcp")));
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  clients.push(client);
  const { tools } = await client.listTools();
  assert.equal(tools.length, 4);
  const found = await client.callTool({ name: "search", arguments: { query: "tides" } });
  assert.match(JSON.stringify(found.content), /Spring tides come at new moon/);
});

describe("who may come in", () => {
  test("with sign-in on, a key is needed, and its tenant's documents are those that are served", async () => {
    await assert.rejects(connect(signedIn), /401|API key|Unauthorized/i);
    const client = await connect(signedIn, "auto", { authorization: "Bearer opensesame" });
    await client.callTool({ name: "search", arguments: { query: "tides" } });
    assert.equal(signedIn.doubles.seen.tenant, "island");
    const headers = { authorization: "Bearer opensesame", "x-headwater-tenant": "other" };
    await assert.rejects(connect(signedIn, "auto", headers), /403|another tenant|Forbidden/i);
  });

  test("pages of other origins and names that were made to lead here are refused", async () => {
    const initialize = { jsonrpc: "2.0", id: 1, method: "ping" };
    const foreign = await open.post("/mcp", initialize, { origin: "https://evil.example" });
    assert.equal((await failureOf(foreign)).reason, "HW_ORIGIN_FORBIDDEN");
    const status = await new Promise((resolve, reject) => {
      const sent = request(
        open.url("/mcp"),
        { method: "POST", headers: { host: "evil.example" } },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      sent.on("error", reject).end("{}");
    });
    assert.equal(status, 403);
  });

  test("what is no MCP is refused with a reason", async () => {
    assert.equal((await failureOf(await open.post("/mcp", undefined))).reason, "HW_JSON_INVALID");
    const large = await open.post("/mcp", { jsonrpc: "2.0", id: 1, method: "x".repeat(2 * 1024 * 1024) });
    assert.equal((await failureOf(large)).reason, "HW_BODY_TOO_LARGE");
    assert.equal((await fetch(open.url("/mcp"))).status, 405);
    const unknown = await open.post(
      "/mcp",
      { hello: "there" },
      { accept: "application/json, text/event-stream" },
    );
    assert.equal(unknown.status, 400);
    assert.equal(((await unknown.json()) as { jsonrpc: string }).jsonrpc, "2.0");
  });
});
