import assert from "node:assert/strict";
import { test } from "node:test";
import { readPageToken, writePageToken } from "./page-token.ts";

const token = writePageToken({ offset: 20, reranked: true }, "hash", "generation");

test("a token says where its page starts", () => {
  assert.deepEqual(readPageToken(token, "hash", "generation"), { offset: 20, reranked: true });
});

test("a token of another search, or of an index that serves no more, is refused", () => {
  assert.throws(() => readPageToken(token, "other", "generation"), {
    reason: "HW_PAGE_TOKEN_INVALID",
    code: 3,
  });
  assert.throws(() => readPageToken(token, "hash", "other"), { reason: "HW_PAGE_TOKEN_EXPIRED", code: 9 });
});

test("whatever is no token is refused as such", () => {
  const json = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const wrong = ["x", "%", "🎉", json(null), json([]), json(7), json({ hash: "hash" })];
  const offsets = [-1, 0, 1.5, "1", null].map((offset) =>
    json({ hash: "hash", generation: "generation", offset }),
  );
  for (const bad of [...wrong, ...offsets])
    assert.throws(() => readPageToken(bad, "hash", "generation"), { reason: "HW_PAGE_TOKEN_INVALID" }, bad);
});
