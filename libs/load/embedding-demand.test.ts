import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadwaterError, status } from "@headwater/errors";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import { createRpcClient } from "@headwater/rpc";
import { demandingClient } from "./demanding-client.ts";
import { EmbeddingDemand } from "./embedding-demand.ts";

function failure(code: HeadwaterError["code"]): HeadwaterError {
  return new HeadwaterError({ code, reason: "HW_TEST", message: "no" });
}

test("what waits is counted until it is there, in parts and to the end", () => {
  const demand = new EmbeddingDemand();
  const waiting = demand.wait("passages", 100);
  demand.wait("urgent", 7);
  waiting.less(33.3);
  assert.deepEqual(demand.tokens, { urgent: 7, passages: 67 });
  waiting.less(1000);
  waiting.end();
  assert.deepEqual(demand.tokens, { urgent: 7, passages: 0 });
});

test("a call that found no worker is remembered for ten seconds; any other end is the end", async () => {
  let now = 0;
  const demand = new EmbeddingDemand(() => now);
  const call = demand.during("urgent", 20, async () => {
    assert.equal(demand.tokens.urgent, 20);
    return "vector";
  });
  assert.equal(await call, "vector");
  assert.equal(demand.tokens.urgent, 0);
  const failing = (code: HeadwaterError["code"]) =>
    assert.rejects(demand.during("urgent", 20, () => Promise.reject(failure(code))));
  await failing(status.RESOURCE_EXHAUSTED);
  assert.equal(demand.tokens.urgent, 0);
  await failing(status.UNAVAILABLE);
  assert.equal(demand.tokens.urgent, 20);
  now = 9999;
  assert.equal(demand.tokens.urgent, 20);
  now = 10_001;
  assert.equal(demand.tokens.urgent, 0);
});

test("a client's calls count where no worker listens: queries, reranks, and questions about the model", async () => {
  const demand = new EmbeddingDemand();
  const bare = createRpcClient(EmbeddingServiceDefinition, "127.0.0.1:1");
  const { call, close } = demandingClient(bare, demand);
  try {
    const options = { deadline: 20_000 };
    const nobody = { code: status.UNAVAILABLE };
    await assert.rejects(call.embedQuery({ text: "where does the river begin" }, options), nobody);
    assert.equal(demand.tokens.urgent, 7);
    await assert.rejects(
      call.rerank({ query: "river", passages: ["a spring ".repeat(100)] }, options),
      nobody,
    );
    assert(demand.tokens.urgent > 200, String(demand.tokens.urgent));
    await assert.rejects(call.describe({}, options), nobody);
    assert.equal(demand.tokens.passages, 1);
  } finally {
    close();
  }
});
