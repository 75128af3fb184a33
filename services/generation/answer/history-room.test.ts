import assert from "node:assert/strict";
import { test } from "node:test";
import { newestWithin, tokensOf } from "./history-room.ts";

const said = ["one", "two", "x".repeat(400), "four"].map((text) => ({ role: "user" as const, text }));

test("the newest messages that have room stay, whole and in order", () => {
  for (const room of [0, 4, 5, 10, 109, 200, Number.POSITIVE_INFINITY]) {
    const kept = newestWithin(said, room);
    assert(tokensOf(kept) <= room);
    assert.deepEqual(kept, said.slice(said.length - kept.length));
    const withOneMore = said.slice(said.length - kept.length - 1);
    assert(kept.length === said.length || tokensOf(withOneMore) > room);
  }
});
