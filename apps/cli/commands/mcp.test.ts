import assert from "node:assert/strict";
import { test } from "node:test";
import { startFixture } from "@headwater/gateway/testing/fixture";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

const fixture = await startFixture({ HEADWATER_GATEWAY_API_KEYS: "opensesame island" });
const main = new URL("../main.ts", import.meta.url).pathname;

for (const mode of ["auto", "legacy"] as const) {
  test(`headwater mcp serves the documents over stdio (${mode})`, async () => {
    const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode } });
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [main, "mcp", "--server", fixture.baseUrl, "--tenant", "island"],
      env: { HEADWATER_API_KEY: "opensesame" },
    });
    await client.connect(transport);
    const { tools } = await client.listTools();
    assert.equal(tools.length, 4);
    const found = await client.callTool({ name: "search", arguments: { query: "tides" } });
    assert.match(JSON.stringify(found.content), /Spring tides come at new moon/);
    assert.equal(fixture.doubles.seen.tenant, "island");
    const missing = await client.callTool({ name: "fetch_document", arguments: { document_id: "none" } });
    assert.equal(missing.isError, true);
    const { pid } = transport;
    await client.close();
    assert.throws(() => process.kill(Number(pid), 0), { code: "ESRCH" });
  });
}
