import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadwaterError, status } from "@headwater/errors";
import { readTrigger } from "./trigger.ts";

test("metadata are read, with KEDA's own entries beside them", () => {
  assert.deepEqual(
    readTrigger({
      scalerAddress: "headwater-scaler.rag.svc:7005",
      enableTLS: "true",
      workload: "search",
      target: "8",
      latencySeconds: "0.75",
    }),
    { workload: "search", target: 8, latencySeconds: 0.75 },
  );
  assert.deepEqual(readTrigger({ workload: "gateway", target: "200" }), {
    ...{ workload: "gateway", target: 200, latencySeconds: undefined },
  });
});

const invalid: readonly [metadata: Record<string, string>, message: RegExp, action: RegExp][] = [
  [{}, /workload is not set/, /one of embedding-worker, search/],
  [{ workload: "ingest", target: "5" }, /workload is "ingest"/, /KEDA's own trigger for Kafka/],
  [{ workload: "search" }, /target is not set/, /such as 5/],
  [{ workload: "search", target: "0" }, /target is "0"/, /0\.001 or more/],
  [{ workload: "search", target: "-3" }, /target is "-3"/, /or more/],
  [{ workload: "search", target: "many" }, /target is "many"/, /in quotes/],
  [{ workload: "search", target: "1e9" }, /target is "1e9"/, /number/],
  [{ workload: "search", target: "" }, /target is ""/, /number/],
  [{ workload: "search", target: "5", latencySeconds: "fast" }, /latencySeconds is "fast"/, /number/],
  [{ workload: "gateway", target: "5", latencySeconds: "1" }, /nothing about gateway/, /Leave it out/],
  [{ workload: "search", target: "5", tresholdd: "4" }, /tresholdd is not known/, /workload, target/],
];

for (const [metadata, message, action] of invalid) {
  test(`refused: ${JSON.stringify(metadata)}`, () => {
    assert.throws(
      () => readTrigger(metadata),
      (error: unknown) => {
        assert(error instanceof HeadwaterError);
        assert.deepEqual([error.code, error.reason], [status.INVALID_ARGUMENT, "HW_TRIGGER_INVALID"]);
        assert.match(error.message, message);
        assert.match(error.action, action);
        return true;
      },
    );
  });
}
