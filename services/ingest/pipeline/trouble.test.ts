import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadwaterError, status } from "@headwater/errors";
import { silentTelemetry } from "@headwater/telemetry";
import { createIngestMetrics } from "../metrics.ts";
import { Trouble } from "./trouble.ts";

function open(): Trouble {
  const { log, metrics } = silentTelemetry("ingest");
  return new Trouble(log, createIngestMetrics(metrics));
}

const down = (reason: `HW_${string}`) =>
  new HeadwaterError({ code: status.UNAVAILABLE, reason, message: "down" });

test("work that fails is done again until it succeeds, and named meanwhile", async () => {
  const trouble = open();
  const seen: (string | undefined)[] = [];
  let tries = 0;
  const result = await trouble.patiently("blobs", new AbortController().signal, async () => {
    seen.push(trouble.current?.reason);
    tries += 1;
    if (tries < 3) throw down("HW_TEST_DOWN");
    return "done";
  });
  assert.equal(result, "done");
  assert.deepEqual(seen, [undefined, "HW_TEST_DOWN", "HW_TEST_DOWN"]);
  assert.equal(trouble.current, undefined);
});

test("the oldest trouble is told first", () => {
  const trouble = open();
  trouble.report("index", down("HW_TEST_ONE"));
  trouble.report("blobs", down("HW_TEST_TWO"));
  assert.equal(trouble.current?.reason, "HW_TEST_ONE");
  trouble.clear("index");
  assert.equal(trouble.current?.reason, "HW_TEST_TWO");
});

test("who is called off stops at once", async () => {
  const leave = new AbortController();
  const work = open().patiently("log", leave.signal, async () => {
    leave.abort();
    throw down("HW_TEST_DOWN");
  });
  await assert.rejects(work, { name: "AbortError" });
});
