import assert from "node:assert/strict";
import { test } from "node:test";
import type { DocumentLog } from "@headwater/document-log";
import { BacklogGate } from "./backlog-gate.ts";

test("pushes wait at the bound, and go on once the backlog has shrunk", async () => {
  let lag = 0;
  const log = { lag: async () => [{ partition: 0, endOffset: lag, committedOffset: 0 }] };
  const gate = new BacklogGate({
    log: log as unknown as DocumentLog,
    group: "g",
    maxLag: 100,
    onLag: () => {},
    onError: assert.ifError,
  });
  const never = new AbortController().signal;
  await gate.pass(never);
  lag = 100;
  gate.added(100);
  let passed = false;
  const waiting = gate.pass(never).then(() => {
    passed = true;
  });
  const leave = new AbortController();
  const leaving = gate.pass(leave.signal);
  leave.abort();
  await assert.rejects(leaving, { name: "AbortError" });
  assert(!passed);
  lag = 10;
  await waiting;
  await gate.close();
});
