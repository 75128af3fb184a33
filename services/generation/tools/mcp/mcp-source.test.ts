import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { afterEach, describe, test } from "node:test";
import { HeadwaterError } from "@headwater/errors";
import { silentTelemetry } from "@headwater/telemetry";
import { until } from "@headwater/testing";
import { startMcpHttpServer } from "../testing/mcp-http-server.ts";
import { runTool } from "../testing/tool-context.ts";
import type { ToolSource } from "../tool.ts";
import type { GivenValues, McpAddress, McpProcess, McpSettings } from "../tool-settings.ts";
import { createOddServer } from "./fixtures/odd-tools.ts";
import { createMcpSource } from "./mcp-source.ts";

const plain: GivenValues = { values: { PATH: process.env["PATH"] ?? "" }, secrets: [] };
const everything = join(
  dirname(createRequire(import.meta.url).resolve("@modelcontextprotocol/server-everything/package.json")),
  "dist/index.js",
);
const oddServer = new URL("./fixtures/odd-server.ts", import.meta.url).pathname;

const opened: ToolSource[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((source) => source.close()));
});

function open(server: McpProcess | McpAddress, more: Partial<McpSettings> = {}): ToolSource {
  const settings: McpSettings = {
    ...{ name: "odd", server, allow: undefined, needsApproval: undefined },
    ...{ timeoutMs: 30_000, connectTimeoutMs: 30_000, maxMessageBytes: 1024 * 1024 },
    ...more,
  };
  const source = createMcpSource(settings, silentTelemetry("generation").log);
  opened.push(source);
  return source;
}

function node(args: readonly string[], environment = plain): McpProcess {
  return { kind: "process", command: process.execPath, args, folder: undefined, environment };
}

/** Waits for the server to have started, as a later turn does where it takes long. */
async function listed(source: ToolSource) {
  let listing = await source.tools("default", AbortSignal.timeout(60_000));
  while (listing.unavailable.some((why) => why.includes("still starting")))
    listing = await source.tools("default", AbortSignal.timeout(60_000));
  return listing;
}

async function text(source: ToolSource, name: string, input = {}, signal?: AbortSignal): Promise<string> {
  await listed(source);
  return (await runTool(source, name, input, signal)).text;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("an off-the-shelf server (@modelcontextprotocol/server-everything) over stdio", () => {
  test("its tools are listed with their schemas, and called", async () => {
    const source = open(node([everything, "stdio"]), { name: "everything" });
    const { tools, unavailable } = await listed(source);
    assert.deepEqual(unavailable, []);
    const sum = tools.find(({ name }) => name === "everything__get-sum");
    assert(sum);
    assert.equal(sum.source, "mcp:everything");
    assert.deepEqual(Object.keys(sum.parameters["properties"] as object), ["a", "b"]);
    assert.match(await text(source, "everything__get-sum", { a: 19, b: 23 }), /42/);
    assert.equal(await text(source, "everything__echo", { message: "hello" }), "Echo: hello");
    assert.match(await text(source, "everything__get-tiny-image"), /\(image, image\/png: not shown\)/);
    assert.match(
      await text(source, "everything__get-structured-content", { location: "Chicago" }),
      /humidity/i,
    );
  });

  test("a refused call is told to the model", async () => {
    const source = open(node([everything, "stdio"]), { name: "everything" });
    await listed(source);
    const outcome = await runTool(source, "everything__get-sum", { a: "nineteen" });
    assert(outcome.failed);
    assert.match(outcome.text, /number/);
  });
});

describe("a server over stdio", () => {
  test("gets of the environment only what was named", async () => {
    process.env["HEADWATER_SECRET_OF_THE_HOUSE"] = "do not tell";
    const source = open(node([oddServer], { values: { ...plain.values, ISLAND: "Skye" }, secrets: [] }));
    const environment = JSON.parse(await text(source, "odd__environment"));
    assert.equal(environment.ISLAND, "Skye");
    assert.equal(environment.HEADWATER_SECRET_OF_THE_HOUSE, undefined);
    delete process.env["HEADWATER_SECRET_OF_THE_HOUSE"];
  });

  test("never has its credentials shown", async () => {
    const environment = { values: { ...plain.values, LICENSE: "hunter22" }, secrets: ["hunter22"] };
    assert.match(
      await text(open(node([oddServer], environment)), "odd__environment"),
      /"LICENSE":"\(secret\)"/,
    );
    const { unavailable } = await listed(open(node([oddServer, "--refuse-to-start"], environment)));
    assert.equal(unavailable.length, 1);
    assert.match(
      unavailable[0] ?? "",
      /^odd: The MCP server odd does not answer: .*the license of \(secret\) has run out/,
    );
  });

  test("tells by its annotations what needs approval, unless the settings do", async () => {
    const approvals = async (source: ToolSource) =>
      Object.fromEntries(
        (await listed(source)).tools.map(({ name, needsApproval }) => [name, needsApproval]),
      );
    const annotated = await approvals(open(node([oddServer])));
    assert.equal(annotated["odd__environment"], false);
    assert.equal(annotated["odd__crash"], true);
    const trusted = await approvals(open(node([oddServer]), { needsApproval: false, allow: ["crash"] }));
    assert.deepEqual(trusted, { odd__crash: false });
  });

  test("is told of a call that is given up, and goes on", async () => {
    const source = open(node([oddServer]));
    const leaving = new AbortController();
    const hanging = text(source, "odd__hang", {}, leaving.signal);
    hanging.catch(() => {});
    await until("it hangs", async () => (await text(source, "odd__calls")) === "1 hanging, 0 cancelled");
    leaving.abort();
    await assert.rejects(hanging, { name: "AbortError" });
    await until("it is told", async () => (await text(source, "odd__calls")) === "1 hanging, 1 cancelled");
  });

  test("that takes too long is given up", async () => {
    const source = open(node([oddServer]), { timeoutMs: 300 });
    await assert.rejects(text(source, "odd__hang"), (thrown) => reason(thrown) === "HW_MCP_TIMEOUT");
  });

  test("that says too much is cut off, and comes back", async () => {
    const source = open(node([oddServer]));
    await assert.rejects(text(source, "odd__flood"), (thrown) => reason(thrown) === "HW_MCP_UNAVAILABLE");
    assert.equal(await text(source, "odd__calls"), "0 hanging, 0 cancelled");
  });

  test("that crashes is started again", async () => {
    const source = open(node([oddServer]));
    await assert.rejects(text(source, "odd__crash"), (thrown) => reason(thrown) === "HW_MCP_UNAVAILABLE");
    assert.equal(await text(source, "odd__calls"), "0 hanging, 0 cancelled");
  });

  test("tells of new tools", async () => {
    const source = open(node([oddServer]));
    assert.equal(await text(source, "odd__grow"), "grown");
    await until("the new tool is listed", async () =>
      (await listed(source)).tools.some(({ name }) => name === "odd__grown"),
    );
    assert.equal(await text(source, "odd__grown"), "here");
  });

  test("ends with all that it started, also when it does not listen", async () => {
    for (const args of [[oddServer], [oddServer, "--deaf"]]) {
      const source = open(node(args));
      const child = Number(await text(source, "odd__child"));
      assert(isAlive(child));
      await source.close();
      await until("what it started has ended", () => !isAlive(child));
    }
  });

  test("can be closed though something that it started holds its pipes", async () => {
    const source = open(node([oddServer]));
    const runaway = Number(await text(source, "odd__runaway"));
    await assert.rejects(text(source, "odd__flood"), (thrown) => reason(thrown) === "HW_MCP_UNAVAILABLE");
    assert.equal(await text(source, "odd__calls"), "0 hanging, 0 cancelled");
    await source.close();
    process.kill(runaway, "SIGKILL");
  });

  test("that is not there does not stop a turn, and is not tried again at once", async () => {
    const source = open({ ...node([]), command: "/no/such/program" });
    const first = await listed(source);
    assert.deepEqual(first.tools, []);
    assert.match(first.unavailable[0] ?? "", /^odd: The MCP server odd does not answer: spawn .*ENOENT/);
    assert.deepEqual(await listed(source), first);
  });
});

describe("a server over streamable HTTP", () => {
  const address = (url: string, headers: GivenValues = { values: {}, secrets: [] }): McpAddress => ({
    ...{ kind: "address", url, headers },
  });

  test("has its tools called, with the headers of the settings", async () => {
    const server = await startMcpHttpServer(() => createOddServer());
    const source = open(
      address(server.url, { values: { authorization: "Bearer t0psecret" }, secrets: ["t0psecret"] }),
    );
    const outcome = await text(source, "odd__fail");
    assert.equal(outcome, "no such island");
    assert(
      server.seen.length > 0 &&
        server.seen.every(({ authorization }) => authorization === "Bearer t0psecret"),
    );
    await source.close();
    await server.close();
  });

  test("is told of a call that is given up, and cut off when it says too much", async () => {
    const seen = { hanging: 0, cancelled: 0 };
    const server = await startMcpHttpServer(() => createOddServer(seen));
    const source = open(address(server.url));
    const leaving = new AbortController();
    const hanging = text(source, "odd__hang", {}, leaving.signal);
    hanging.catch(() => {});
    await until("it hangs", () => seen.hanging === 1);
    leaving.abort();
    await assert.rejects(hanging, { name: "AbortError" });
    await until("it is told", () => seen.cancelled === 1);
    await assert.rejects(text(source, "odd__flood"), (thrown) => reason(thrown) === "HW_MCP_UNAVAILABLE");
    assert.equal(await text(source, "odd__calls"), "1 hanging, 1 cancelled");
    await source.close();
    await server.close();
  });

  test("that goes and comes back has its tools again", async () => {
    const first = await startMcpHttpServer(() => createOddServer());
    const source = open(address(first.url));
    assert.equal(await text(source, "odd__calls"), "0 hanging, 0 cancelled");
    await first.close();
    await assert.rejects(text(source, "odd__calls"), (thrown) => reason(thrown) === "HW_MCP_UNAVAILABLE");
    assert.match((await listed(source)).unavailable[0] ?? "", /ECONNREFUSED/);
    const second = await startMcpHttpServer(() => createOddServer(), first.port);
    await until("it has its tools again", async () => (await listed(source)).tools.length > 0);
    assert.equal(await text(source, "odd__calls"), "0 hanging, 0 cancelled");
    await source.close();
    await second.close();
  });

  test("that keeps a session is told of its end", async () => {
    const asked: string[] = [];
    const server = createServer(async (incoming, response) => {
      asked.push(incoming.method ?? "");
      if (incoming.method !== "POST") return void response.writeHead(405).end();
      const { id, method } = JSON.parse(Buffer.concat(await incoming.toArray()).toString("utf8"));
      response.setHeader("content-type", "application/json").setHeader("mcp-session-id", "the-session");
      const info = {
        protocolVersion: "2025-06-18",
        capabilities: { tools: {} },
        serverInfo: { name: "old", version: "1" },
      };
      const results: Record<string, object> = { initialize: info, "tools/list": { tools: [] } };
      const result = results[method];
      if (id === undefined) return void response.writeHead(202).end();
      const error = { code: -32601, message: "no such method" };
      response.end(JSON.stringify({ jsonrpc: "2.0", id, ...(result ? { result } : { error }) }));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const source = open(address(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`));
    assert.deepEqual(await listed(source), { tools: [], unavailable: [] });
    await source.close();
    assert(asked.includes("DELETE"), asked.join());
    server.close();
    server.closeAllConnections();
  });

  test("does not send its credentials on to where it redirects", async () => {
    const other = await startMcpHttpServer(() => createOddServer());
    const redirecting = createServer((_request, response) => {
      response.writeHead(307, { location: other.url }).end();
    }).listen(0, "127.0.0.1");
    await once(redirecting, "listening");
    const { port } = redirecting.address() as AddressInfo;
    const headers = { values: { authorization: "Bearer t0psecret" }, secrets: ["t0psecret"] };
    const source = open(address(`http://127.0.0.1:${port}/mcp`, headers));
    const { tools, unavailable } = await listed(source);
    assert.deepEqual(tools, []);
    assert.equal(unavailable.length, 1);
    assert(other.seen.every(({ authorization }) => authorization === undefined));
    await source.close();
    redirecting.close();
    await other.close();
  });
});

function reason(thrown: unknown): string {
  return thrown instanceof HeadwaterError ? thrown.reason : String(thrown);
}
