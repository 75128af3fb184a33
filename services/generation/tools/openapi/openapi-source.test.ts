import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { HeadwaterError } from "@headwater/errors";
import { temporaryFolder } from "@headwater/testing";
import { runTool, toolContext } from "../testing/tool-context.ts";
import type { Tool, ToolSource } from "../tool.ts";
import type { OpenApiSettings } from "../tool-settings.ts";
import { createOpenApiSource } from "./openapi-source.ts";

const document = new URL("./fixtures/islands.yaml", import.meta.url).pathname;
const secret = "s3cret-token";
const folder = await temporaryFolder();

interface Seen {
  readonly request: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

const seen: Seen[] = [];
const stolen: Seen[] = [];
const elsewhere = await serve(stolen, (_request, response) => void response.end("elsewhere"));
const service = await serve(seen, ({ request, headers, body }, response) => {
  const path = request.split(" ")[1] ?? "";
  if (path === "/v1/hang") return;
  if (path === "/v1/picture") return void response.setHeader("content-type", "image/png").end("pixels");
  if (path === "/v1/flood") return void response.end("x".repeat(100_000));
  if (path === "/v1/away") return void response.writeHead(302, { location: elsewhere.url }).end();
  if (request.startsWith("DELETE")) return void response.writeHead(204).end();
  if (path.startsWith("/v1/islands/none"))
    return void response.writeHead(404).end(`no island, ${headers.authorization}`);
  response.setHeader("content-type", "application/json").end(JSON.stringify({ request, body }));
});

const opened: ToolSource[] = [];
after(async () => {
  await Promise.all(opened.map((source) => source.close()));
  await Promise.all([service, elsewhere].map(({ close }) => close()));
});

function open(allow: readonly string[], more: Partial<OpenApiSettings> = {}): ToolSource {
  const source = createOpenApiSource({
    ...{ name: "islands", document, baseUrl: `${service.url}/v1/`, allow, needsApproval: undefined },
    ...{ headers: { values: { Authorization: `Bearer ${secret}` }, secrets: [secret] } },
    ...{ allowPrivate: true, timeoutMs: 30_000, maxResponseBytes: 65_536, ...more },
  });
  opened.push(source);
  return source;
}

async function listed(source: ToolSource): Promise<readonly Tool[]> {
  const { tools, unavailable } = await source.tools("default", toolContext().signal);
  assert.deepEqual(unavailable, []);
  return tools;
}

describe("what is listed", () => {
  test("only what the allow list names, by id or by method and path", async () => {
    const tools = await listed(open(["listIslands", "GET /islands/{name}", "deleteIsland"]));
    assert.deepEqual(
      tools.map(({ name, needsApproval, source }) => [name, needsApproval, source]),
      [
        ["islands__listIslands", false, "openapi:islands"],
        ["islands__get_islands_name", false, "openapi:islands"],
        ["islands__deleteIsland", true, "openapi:islands"],
      ],
    );
    const [trusted] = await listed(open(["deleteIsland"], { needsApproval: false }));
    assert.equal(trusted?.needsApproval, false);
  });

  test("parameters as one schema of today's dialect, without cycles and without what lies outside", async () => {
    const [add, get] = await listed(open(["addIsland", "GET /islands/{name}"]));
    assert.deepEqual(add?.parameters, {
      type: "object",
      properties: {
        body: {
          type: "object",
          required: ["name"],
          properties: {
            name: { type: "string" },
            height: { type: "number", exclusiveMinimum: 0 },
            parts: { type: "array", items: {} },
            secret: {},
          },
        },
      },
      required: ["body"],
      additionalProperties: false,
    });
    assert.deepEqual(get?.parameters, {
      type: "object",
      properties: {
        name: { type: "string" },
        name_in_query: { type: ["string", "null"], description: "The name to answer with" },
      },
      required: ["name"],
      additionalProperties: false,
    });
  });

  test("what cannot be called is told, and the rest stays", async () => {
    const source = open(["listIslands", "noSuch", "upload", "session"]);
    const { tools, unavailable } = await source.tools("default", toolContext().signal);
    assert.equal(tools.length, 1);
    assert.deepEqual(unavailable, [
      "islands: the document has no operation noSuch",
      "islands: upload cannot be called: its body is not JSON",
      "islands: session cannot be called: the parameter sid is a cookie, which is not supported",
    ]);
  });

  test("a document that is broken, missing or not OpenAPI 3 stops no turn", async () => {
    const texts = { "2.0": "swagger: '2.0'", broken: "a: [", invalid: "openapi: 3.1.0\ninfo: {}" };
    for (const [name, text] of Object.entries(texts)) {
      writeFileSync(join(folder, name), text);
      const source = open(["x"], { document: join(folder, name) });
      const { unavailable } = await source.tools("default", toolContext().signal);
      assert.match(unavailable[0] ?? "", /^islands: The OpenAPI document cannot be used: /);
    }
    const missing = await open(["x"], { document: join(folder, "none") }).tools(
      "default",
      toolContext().signal,
    );
    assert.match(missing.unavailable[0] ?? "", /^islands: The OpenAPI document is not there/);
  });
});

describe("what is sent", () => {
  const list = (input: Record<string, unknown>) =>
    runTool(open(["listIslands"]), "islands__listIslands", input);

  test("query and headers as the document says, with the settings' credentials over all", async () => {
    const input = {
      name: ["Skye", "Isle of Mull"],
      near: [57.3, -6.2],
      size: { least: 10 },
      "X-Unit": "km\r\nx: y",
    };
    const { text } = await list(input);
    assert.equal(
      JSON.parse(text).request,
      "GET /v1/islands?name=Skye&name=Isle+of+Mull&near=57.3%2C-6.2&size%5Bleast%5D=10",
    );
    assert.equal(seen.at(-1)?.headers["x-unit"], "km x: y");
    assert.equal(seen.at(-1)?.headers.authorization, `Bearer ${secret}`);
  });

  test("a body as JSON, and a path that no value can leave", async () => {
    const source = open(["addIsland", "GET /islands/{name}"]);
    const { text } = await runTool(source, "islands__addIsland", { body: { name: "Eigg" } });
    assert.deepEqual(JSON.parse(text), { request: "POST /v1/islands", body: '{"name":"Eigg"}' });
    const { text: one } = await runTool(source, "islands__get_islands_name", { name: "../admin?x=1#" });
    assert.equal(JSON.parse(one).request, "GET /v1/islands/..%2Fadmin%3Fx%3D1%23");
    for (const name of ["..", ".", ""])
      await assert.rejects(
        runTool(source, "islands__get_islands_name", { name }),
        (thrown) => reason(thrown) === "HW_TOOL_INPUT_INVALID",
      );
  });
});

describe("what comes back", () => {
  test("a failure is told, without the credentials that the service repeats", async () => {
    const source = open(["GET /islands/{name}", "deleteIsland", "picture"]);
    assert.deepEqual(await runTool(source, "islands__get_islands_name", { name: "none" }), {
      text: "HTTP 404: no island, Bearer (secret)",
      failed: true,
    });
    assert.deepEqual(await runTool(source, "islands__deleteIsland", { name: "Muck" }), {
      text: "HTTP 204, no content.",
      failed: false,
    });
    assert.equal((await runTool(source, "islands__picture", {})).text, "(image/png, 6 bytes: not shown)");
  });

  test("too much, too late and given up", async () => {
    const source = open(["flood", "hang"], { timeoutMs: 300 });
    await assert.rejects(
      runTool(source, "islands__flood", {}),
      (thrown) => reason(thrown) === "HW_RESPONSE_TOO_LARGE",
    );
    await assert.rejects(
      runTool(source, "islands__hang", {}),
      (thrown) => reason(thrown) === "HW_FETCH_TIMEOUT",
    );
    const leaving = new AbortController();
    const hanging = runTool(open(["hang"]), "islands__hang", {}, leaving.signal);
    setTimeout(() => leaving.abort(), 50);
    await assert.rejects(hanging, { name: "AbortError" });
  });

  test("a redirect to another origin is not followed, so that nothing leaves", async () => {
    await assert.rejects(
      runTool(open(["away"]), "islands__away", {}),
      (thrown) => reason(thrown) === "HW_HOST_FORBIDDEN" && !String(thrown).includes(secret),
    );
    assert.deepEqual(stolen, []);
  });

  test("a service in a private network is called only where the settings say so", async () => {
    const source = open(["listIslands"], { allowPrivate: false });
    await assert.rejects(
      runTool(source, "islands__listIslands", {}),
      (thrown) => reason(thrown) === "HW_ADDRESS_FORBIDDEN",
    );
  });
});

test("the document may come from an address", async () => {
  const text = readFileSync(document, "utf8");
  const documents = await serve([], (_request, response) => void response.end(text));
  const tools = await listed(open(["listIslands"], { document: `${documents.url}/openapi.yaml` }));
  assert.equal(tools.length, 1);
  await documents.close();
});

async function serve(
  into: Seen[],
  answer: (request: Seen, response: ServerResponse) => void,
): Promise<{ url: string; close: () => Promise<void> }> {
  const server: Server = createServer(async (incoming, response) => {
    const body = Buffer.concat(await incoming.toArray()).toString("utf8");
    const request = { request: `${incoming.method} ${incoming.url}`, headers: incoming.headers, body };
    into.push(request);
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function reason(thrown: unknown): string {
  return thrown instanceof HeadwaterError ? thrown.reason : String(thrown);
}
