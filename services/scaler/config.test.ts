import assert from "node:assert/strict";
import { test } from "node:test";
import { readScalerConfig } from "./config.ts";

test("those services are followed whose addresses are set", () => {
  const { addresses } = readScalerConfig({
    HEADWATER_EMBEDDING_ADDRESS: "headwater-embedding-worker.rag.svc:7002",
    HEADWATER_GATEWAY_LOAD_ADDRESS: "headwater-gateway-load.rag.svc:7006",
  });
  assert.deepEqual(
    [...addresses],
    [
      ["embedding-worker", "headwater-embedding-worker.rag.svc:7002"],
      ["gateway", "headwater-gateway-load.rag.svc:7006"],
    ],
  );
});

test("a scaler that would follow nothing does not start", () => {
  assert.throws(() => readScalerConfig({}), { reason: "HW_SCALER_FOLLOWS_NOTHING" });
});
