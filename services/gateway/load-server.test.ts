import assert from "node:assert/strict";
import { after, test } from "node:test";
import { HeadwaterError, status } from "@headwater/errors";
import { LoadServiceDefinition } from "@headwater/proto/services/headwater/v1/load";
import { createRpcClient } from "@headwater/rpc";
import { startFixture } from "./testing/fixture.ts";

/** Where nobody else is likely to listen; the port has to be known beforehand, since only the log tells it. */
const loadAddress = "127.0.0.77:17006";
const { gateway, url, doubles } = await startFixture({ HEADWATER_GATEWAY_LOAD_LISTEN: loadAddress });
const load = createRpcClient(LoadServiceDefinition, loadAddress);
after(() => load.close());

test("the scaler hears how many connections are open", async () => {
  const response = await fetch(url("/health/live"));
  await response.text();
  for await (const { connections, idleMs, streams } of load.call.watchLoad({})) {
    if ((connections?.open ?? 0) === 0) continue;
    assert.deepEqual([idleMs, streams], [0, undefined]);
    break;
  }
});

test("texts that wait for an embedding-worker which is not there are demand", async () => {
  await doubles.embedding.close(0);
  const response = await fetch(url("/v1/embeddings"), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "tiny", input: ["a river that begins in the hills"] }),
  });
  assert.equal(response.status, 503);
  for await (const { embedding } of load.call.watchLoad({})) if ((embedding?.urgent ?? 0) > 0) break;
});

test("nobody hears of it who comes in by the other port", async () => {
  const outside = createRpcClient(LoadServiceDefinition, gateway.address);
  try {
    await assert.rejects(
      async () => {
        for await (const _ of outside.call.watchLoad({})) assert.fail("it was told");
      },
      (error: unknown) => error instanceof HeadwaterError && error.code === status.UNIMPLEMENTED,
    );
  } finally {
    outside.close();
  }
});
