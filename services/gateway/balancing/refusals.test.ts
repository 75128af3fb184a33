import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { toConnectError } from "@headwater/client/error-details";
import { HeadwaterError, status } from "@headwater/errors";
import { SearchService } from "@headwater/proto/connect/headwater/v1/search";
import { SearchServiceDefinition } from "@headwater/proto/services/headwater/v1/search";
import { startRpcServer } from "@headwater/rpc";
import { silentTelemetry } from "@headwater/telemetry";
import { readGatewayConfig } from "../config.ts";
import { startGateway } from "../server.ts";
import { Refusals } from "./refusals.ts";
import { openServiceTransport } from "./service-transport.ts";

const { search } = SearchService.method;

const refusal = (reason: string, retryAfterMs: number) =>
  toConnectError({
    code: status.RESOURCE_EXHAUSTED,
    ...{ reason, message: "Too many searches at one time.", action: "", retryAfterMs },
  });

test("a server that refused is not asked while it has as many calls, and then for a few more", () => {
  let now = 1000;
  const refusals = new Refusals(() => now);
  assert.equal(refusals.of(search, 1000), undefined);
  const full = refusal("HW_SEARCH_OVERLOADED", 500);
  refusals.learn(search, full, 40);
  assert.equal(refusals.of(search, 40), full);
  assert.equal(refusals.of(search, 39), undefined);
  now += 250;
  assert.equal(refusals.of(search, 44), full);
  assert.equal(refusals.of(search, 43), undefined);
  now += 60_000;
  assert.equal(refusals.of(search, 1000), undefined);
});

test("a server that kept nothing is tried with a few calls each quarter of a second", () => {
  let now = 1000;
  const refusals = new Refusals(() => now);
  refusals.learn(search, refusal("HW_SEARCH_OVERLOADED", 500), 0);
  assert(refusals.of(search, 0));
  now += 250;
  assert.equal(refusals.of(search, 3), undefined);
  assert(refusals.of(search, 4));
});

test("what a server says of one call or of one caller is not held against the next", () => {
  const refusals = new Refusals(() => 0);
  refusals.learn(search, refusal("HW_RATE_LIMITED", 60_000), 0);
  refusals.learn(search, refusal("HW_QUERY_TOO_LONG", 60_000), 0);
  refusals.learn(search, new ConnectError("without a reason"), 0);
  refusals.learn(search, new Error("no call at all"), 0);
  assert.equal(refusals.of(search, 0), undefined);
});

test("calls go to the servers that take them, and where none does, are refused without asking again", async (context) => {
  const full = new Set(["127.0.0.2:1"]);
  const asked = new Map<string, number>();
  const transport = openServiceTransport({
    ...{ target: "search.test:1", resolveIntervalMs: 60_000, maxActive: 8 },
    lookup: async () => ["127.0.0.2", "127.0.0.3"],
    connect: (address) => ({
      ...createRouterTransport(({ service }) => {
        service(SearchService, {
          // biome-ignore lint/correctness/useYield: it refuses before it answers
          async *search() {
            asked.set(address, (asked.get(address) ?? 0) + 1);
            if (full.has(address)) throw refusal("HW_SEARCH_OVERLOADED", 60_000);
          },
        });
      }),
      open: async () => true,
      close: () => {},
    }),
    problem: () => undefined,
    onRepeat: () => {},
  });
  context.after(() => transport.close());
  const client = createClient(SearchService, transport);
  const ask = () => Array.fromAsync(client.search({ query: "wing" }));
  let refused = 0;
  const countRefused = (thrown: unknown) => {
    assert.match(String(thrown), /Too many searches/);
    refused += 1;
  };
  for (let call = 0; call < 100; call += 1) await ask().catch(countRefused);
  // Only whoever asked the full one was refused: once each quarter of a second.
  assert.equal(asked.get("127.0.0.2:1"), refused);
  assert(refused > 0 && refused < 50, `${refused} of 100 were refused`);
  full.add("127.0.0.3:1");
  const before = refused;
  const asking = () => (asked.get("127.0.0.2:1") ?? 0) + (asked.get("127.0.0.3:1") ?? 0);
  const askedBefore = asking();
  for (let call = 0; call < 100; call += 1) await ask().catch(countRefused);
  assert.equal(refused - before, 100);
  assert(asking() - askedBefore < 50, `${asking() - askedBefore} of 100 were asked`);
});

test("over HTTP a refusal that is known is told before the body is read, and says when to come back", async (context) => {
  let asked = 0;
  const server = await startRpcServer({
    ...{ address: "127.0.0.1:0", definition: SearchServiceDefinition, telemetry: silentTelemetry("search") },
    checkReadiness: async () => {},
    implementation: {
      // biome-ignore lint/correctness/useYield: it refuses before it answers
      async *search() {
        asked += 1;
        throw new HeadwaterError({
          ...{ code: status.RESOURCE_EXHAUSTED, reason: "HW_SEARCH_OVERLOADED" },
          ...{ message: "Too many searches at one time.", action: "Try again.", retryAfterMs: 60_000 },
        });
      },
    },
  });
  context.after(() => server.close(0));
  const config = readGatewayConfig({
    HEADWATER_GATEWAY_LISTEN: "127.0.0.1:0",
    HEADWATER_SEARCH_ADDRESS: server.address,
  });
  const gateway = await startGateway(config, silentTelemetry("gateway"));
  context.after(() => gateway.close(0));
  const search = async (body: string) => {
    const response = await fetch(`http://${gateway.address}/v1/search`, {
      ...{ method: "POST", body, headers: { "content-type": "application/json" } },
    });
    const { error } = (await response.json()) as { error: { reason: string } };
    return { ...error, status: response.status, retryAfter: response.headers.get("retry-after") };
  };
  const first = await search(`{"query":"wing"}`);
  assert.deepEqual([first.reason, first.retryAfter], ["HW_SEARCH_OVERLOADED", "60"]);
  const further = await Promise.all(Array.from({ length: 50 }, () => search(`{"query":"wing"}`)));
  for (const { reason, status: code, retryAfter } of further)
    assert.deepEqual([reason, code, retryAfter], [first.reason, first.status, "60"]);
  assert(asked < 25, `${asked} of 51 were asked`);
});
