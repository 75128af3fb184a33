import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Transport } from "@connectrpc/connect";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { Code, createHeadwaterClient, HeadwaterClientError } from "@headwater/client";
import { Health, ServingStatus } from "@headwater/client/health";
import { createNodeTransport } from "@headwater/client/node";
import { HeadwaterError } from "@headwater/errors";
import { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import { SearchServiceDefinition } from "@headwater/proto/services/headwater/v1/search";
import { createRpcClient } from "@headwater/rpc";
import { until } from "@headwater/testing";
import { startFixture } from "./testing/fixture.ts";

const fixture = await startFixture();

/** Each protocol that the one port answers, by the client that its users have. */
const transports: Record<string, () => { transport: Transport; close(): void }> = {
  "Connect over HTTP/1.1, as browsers speak it": () => ({
    transport: createConnectTransport({ baseUrl: fixture.baseUrl, useBinaryFormat: true }),
    close() {},
  }),
  "Connect with JSON over HTTP/1.1": () => ({
    transport: createConnectTransport({ baseUrl: fixture.baseUrl, useBinaryFormat: false }),
    close() {},
  }),
  "gRPC-Web over HTTP/1.1, as browsers speak it": () => ({
    transport: createGrpcWebTransport({ baseUrl: fixture.baseUrl }),
    close() {},
  }),
  "gRPC over HTTP/2": () => nodeTransport("grpc"),
  "Connect over HTTP/2": () => nodeTransport("connect"),
  "gRPC-Web over HTTP/2": () => nodeTransport("grpc-web"),
};

function nodeTransport(protocol: "grpc" | "connect" | "grpc-web") {
  const transport = createNodeTransport({ baseUrl: fixture.baseUrl, protocol });
  return { transport, close: () => transport.close() };
}

for (const [name, open] of Object.entries(transports)) {
  describe(name, () => {
    test("calls pass, stream, fail with details, end by deadline and are cancelled", async () => {
      const { transport, close } = open();
      const client = createHeadwaterClient({ transport, tenant: "acme" });
      assert.equal((await client.pipeline({ headers: { "x-request-id": "trace-me" } })).lag, 3);
      assert.equal(fixture.doubles.seen.metadata.get("x-request-id"), "trace-me");
      assert.equal(fixture.doubles.seen.tenant, "acme");

      const types = [];
      for await (const { type } of client.answer("when?")) types.push(type);
      assert.deepEqual(types, ["passages", "text", "text", "citation", "end"]);

      const busy = await failure(client.search("busy"));
      assert.deepEqual(
        [busy.code, busy.reason, busy.message, busy.action, busy.retryAfterMs],
        [Code.ResourceExhausted, "HW_OVERLOADED", "Too much to do.", "Try again later.", 1250],
      );
      const midway = await failure(client.search("break"));
      assert.deepEqual([midway.code, midway.reason], [Code.Unavailable, "HW_INDEX_DOWN"]);
      const bug = await failure(client.search("bug"));
      assert.deepEqual([bug.code, bug.reason], [Code.Internal, "HW_INTERNAL"]);
      assert(!bug.message.includes("secret"));

      const late = await failure(client.search("hang", { timeoutMs: 60 }));
      assert.equal(late.code, Code.DeadlineExceeded);

      const before = fixture.doubles.seen.cancelled;
      for await (const _ of client.search("endless")) break;
      await until("the service's hearing of it", () => fixture.doubles.seen.cancelled > before);
      close();
    });
  });
}

test("bytes that are no message, or not compressed as they say, are the sender's mistake", async () => {
  const send = (headers: Record<string, string>) =>
    fetch(fixture.url("/headwater.v1.GenerationService/ListModels"), {
      method: "POST",
      headers,
      body: new Uint8Array([0xff]),
    });
  for (const headers of [
    { "content-type": "application/proto" },
    { "content-type": "application/json", "content-encoding": "gzip" },
  ]) {
    const response = await send(headers);
    assert.equal(response.status, 400);
    assert.match(await response.text(), /"code":"invalid_argument".*HW_MESSAGE_INVALID/);
  }
});

test("a plain gRPC client pushes both ways through the gateway", async () => {
  const client = createRpcClient(IngestServiceDefinition, fixture.gateway.address);
  async function* requests() {
    yield document("grpc-one", "a".repeat(1000), false);
    yield document("refused", "x", false);
    yield document("grpc-two", "b", true);
    yield { part: { $case: "chunk" as const, value: { data: Buffer.alloc(900_000), more: false } } };
  }
  const receipts = [];
  for await (const { id, error } of client.call.push(requests())) receipts.push([id, error?.reason]);
  assert.deepEqual(receipts, [
    ["grpc-one", undefined],
    ["refused", "HW_DOCUMENT_ID_INVALID"],
    ["grpc-two", undefined],
  ]);
  const { document: found } = await client.call.getDocument({ tenant: "acme", id: "grpc-two" });
  assert.equal(found?.sizeBytes, 900_001);
  client.close();
});

test("a plain gRPC client gets errors, and its leaving is heard", async () => {
  const client = createRpcClient(SearchServiceDefinition, fixture.gateway.address);
  await assert.rejects(
    async () => {
      for await (const _ of client.call.search({ query: "bad" }));
    },
    (thrown: unknown) => {
      assert(thrown instanceof HeadwaterError);
      assert.deepEqual([thrown.reason, thrown.action], ["HW_QUERY_EMPTY", "Send words."]);
      return true;
    },
  );
  const before = fixture.doubles.seen.cancelled;
  for await (const _ of client.call.search({ query: "endless" })) break;
  await until("the service's hearing of it", () => fixture.doubles.seen.cancelled > before);
  client.close();
});

test("a slow gRPC reader slows the service", async () => {
  const transport = createNodeTransport({ baseUrl: fixture.baseUrl });
  const client = createHeadwaterClient({ transport });
  const { seen } = fixture.doubles;
  seen.produced = 0;
  for await (const _ of client.search("flood")) {
    await settled(() => seen.produced);
    break;
  }
  // 64 KiB a message; the windows and buffers of two hops hold some, and then the service has to wait.
  assert(seen.produced < 400, `${seen.produced} messages were made for a reader who read one`);
  transport.close();
});

test("the health of the gateway and of each service is asked over gRPC", async () => {
  const transport = createNodeTransport({ baseUrl: fixture.baseUrl });
  const health = createClient(Health, transport);
  assert.equal((await health.check({})).status, ServingStatus.SERVING);
  assert.equal((await health.check({ service: "headwater.v1.SearchService" })).status, ServingStatus.SERVING);
  await assert.rejects(async () => health.check({ service: "nobody" }), { code: Code.NotFound });
  for await (const { status } of health.watch({ service: "liveness" })) {
    assert.equal(status, ServingStatus.SERVING);
    break;
  }
  transport.close();
});

async function failure(call: AsyncIterable<unknown>): Promise<HeadwaterClientError> {
  try {
    for await (const _ of call);
  } catch (thrown) {
    assert(thrown instanceof HeadwaterClientError, String(thrown));
    return thrown;
  }
  return assert.fail("no error was thrown");
}

/** Waits until a number no longer grows. */
async function settled(read: () => number): Promise<void> {
  for (let last = -1; last !== read(); ) {
    last = read();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function document(id: string, content: string, more: boolean) {
  const value = { tenant: "acme", id, content: Buffer.from(content), more };
  return { part: { $case: "document" as const, value } };
}
