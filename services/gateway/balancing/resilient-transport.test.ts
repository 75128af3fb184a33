import assert from "node:assert/strict";
import { test } from "node:test";
import type { Transport } from "@connectrpc/connect";
import { createClient } from "@connectrpc/connect";
import { SearchService } from "@headwater/proto/connect/headwater/v1/search";
import { createResilientTransport } from "./resilient-transport.ts";

test("an attempt gets what is left of the time in whole milliseconds, which is all that gRPC can say", async () => {
  const given: (number | undefined)[] = [];
  const transport: Transport = {
    unary: () => Promise.reject(new Error("not called")),
    stream(_method, _signal, timeoutMs) {
      given.push(timeoutMs);
      return Promise.reject(new Error("far enough"));
    },
  };
  const client = createClient(
    SearchService,
    createResilientTransport({ transport, maxActive: 1, onRepeat: () => {} }),
  );
  // Several times: now and then what is left is a whole number by chance.
  for (let call = 0; call < 5; call += 1)
    await assert.rejects(async () => {
      for await (const _ of client.search({ query: "wing" }, { timeoutMs: 60_000 }));
    });
  assert.equal(given.length, 5);
  for (const timeoutMs of given) assert(Number.isInteger(timeoutMs), String(timeoutMs));
});
