import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import type {
  DeepPartial,
  SearchRequest,
  SearchResponse,
} from "@headwater/proto/services/headwater/v1/search";
import { SearchServiceDefinition } from "@headwater/proto/services/headwater/v1/search";
import { requestContext, silentTelemetry } from "@headwater/telemetry";
import type { CallContext } from "nice-grpc";
import type { RpcClient, RpcContext, RpcServer } from "./index.ts";
import { createRpcClient, startRpcServer } from "./index.ts";

let server: RpcServer;
let client: RpcClient<SearchServiceDefinition>;
let aborted = 0;

const implementation = {
  async *search(
    request: SearchRequest,
    context: CallContext & RpcContext,
  ): AsyncGenerator<DeepPartial<SearchResponse>> {
    if (request.query === "bad")
      throw invalidArgument("HW_QUERY_EMPTY", "The query is empty.", "Send words.");
    if (request.query === "busy") {
      throw new HeadwaterError({
        code: status.RESOURCE_EXHAUSTED,
        reason: "HW_OVERLOADED",
        message: "Too much to do.",
        retryAfterMs: 1250,
      });
    }
    if (request.query === "bug") throw new TypeError("secret of the house");
    if (request.query === "endless") {
      context.abortOnTerminate();
      yield {};
      await new Promise((_, reject) =>
        context.signal.addEventListener("abort", () => {
          aborted += 1;
          reject(context.signal.reason);
        }),
      );
    }
    yield { event: { $case: "hits", value: { elapsedMs: 1 } } };
    yield { event: { $case: "summary", value: { nextPageToken: requestContext()?.requestId ?? "none" } } };
  },
};

before(async () => {
  server = await startRpcServer({
    address: "127.0.0.1:0",
    definition: SearchServiceDefinition,
    implementation,
    telemetry: silentTelemetry("search"),
    checkReadiness: async () => {},
  });
  client = createRpcClient(SearchServiceDefinition, server.address);
});
after(async () => {
  client.close();
  await server.close(500);
});

async function failure(query: string): Promise<HeadwaterError> {
  try {
    for await (const _ of client.call.search({ query })) assert.fail("no message was expected");
  } catch (thrown) {
    assert(thrown instanceof HeadwaterError, String(thrown));
    return thrown;
  }
  return assert.fail("no error was thrown");
}

test("messages stream, and a handler knows the request id after its first yield", async () => {
  const events = [];
  for await (const response of client.call.search({ query: "x" })) events.push(response.event);
  assert.equal(events.length, 2);
  assert(events[1]?.$case === "summary");
  assert.match(events[1].value.nextPageToken, /^[0-9a-f-]{36}$/);
});

test("reason, action and retry hint cross the wire", async () => {
  const bad = await failure("bad");
  assert.deepEqual(
    [bad.code, bad.reason, bad.message, bad.action],
    [3, "HW_QUERY_EMPTY", "The query is empty.", "Send words."],
  );
  const busy = await failure("busy");
  assert.deepEqual([busy.code, busy.reason, busy.retryAfterMs], [8, "HW_OVERLOADED", 1250]);
});

test("an unexpected error tells the caller nothing of the inside", async () => {
  const bug = await failure("bug");
  assert.deepEqual([bug.code, bug.reason], [13, "HW_INTERNAL"]);
  assert(!bug.message.includes("secret"));
});

test("bytes that are no message are refused as the caller's mistake", async () => {
  const { search } = SearchServiceDefinition.methods;
  // A text of 16,383 bytes that is not there.
  const cut = { ...search.requestType, encode: () => ({ finish: () => Uint8Array.of(0x0a, 0xff, 0x7f) }) };
  const methods = { search: { ...search, requestType: cut } };
  const broken = createRpcClient({ ...SearchServiceDefinition, methods }, server.address);
  try {
    await assert.rejects(Array.fromAsync(broken.call.search({ query: "x" })), {
      code: status.INVALID_ARGUMENT,
      reason: "HW_MESSAGE_INVALID",
    });
  } finally {
    broken.close();
  }
});

test("a caller who leaves aborts the handler", async () => {
  const leave = new AbortController();
  await assert.rejects(
    async () => {
      for await (const _ of client.call.search({ query: "endless" }, { signal: leave.signal })) leave.abort();
    },
    { name: "AbortError" },
  );
  for (let tries = 0; aborted === 0 && tries < 100; tries += 1)
    await new Promise((done) => setTimeout(done, 10));
  assert.equal(aborted, 1);
});

test("a deadline of the caller's comes out as such", async () => {
  await assert.rejects(
    async () => {
      for await (const _ of client.call.search({ query: "endless" }, { deadline: 50 }));
    },
    { name: "HeadwaterError", code: status.DEADLINE_EXCEEDED, reason: "HW_DEADLINE_EXCEEDED" },
  );
});

test("a drain ends endless streams with a reason", async () => {
  const other = await startRpcServer({
    address: "127.0.0.1:0",
    definition: SearchServiceDefinition,
    implementation,
    telemetry: silentTelemetry("search"),
    checkReadiness: async () => {},
  });
  const guest = createRpcClient(SearchServiceDefinition, other.address);
  let closed: Promise<void> | undefined;
  await assert.rejects(
    async () => {
      for await (const _ of guest.call.search({ query: "endless" })) closed = other.close(5000);
    },
    { reason: "HW_SERVER_DRAINING" },
  );
  await closed;
  guest.close();
});
