import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeTimePlace, encodePageToken, timePlaceOf, toPage } from "./paging.ts";

const id = "0190b5c2-7a5e-4c1d-9e2f-3a4b5c6d7e8f";

test("a place by time comes back for its own list, and no other", () => {
  const place = { time: new Date("2026-11-21T12:00:00.123Z"), id };
  const rows = [place, { ...place, time: new Date(0) }];
  const { page, nextPageToken } = toPage(rows, 1, "jobs/a", timePlaceOf);
  assert.deepEqual(page, [place]);
  assert.deepEqual(decodeTimePlace("jobs/a", nextPageToken), place);
  assert.equal(decodeTimePlace("jobs/a", ""), undefined);
  assert.throws(() => decodeTimePlace("jobs/b", nextPageToken), { reason: "HW_PAGE_TOKEN_INVALID" });
});

test("a token that somebody made up is refused before it reaches a database", () => {
  for (const place of [
    "",
    "/",
    "now/x",
    `now/${id}`,
    `/${id}`,
    "1/not-an-id",
    `1e300/${id}`,
    `{"id":"${id}"}`,
  ])
    assert.throws(() => decodeTimePlace("q", encodePageToken("q", place)), {
      reason: "HW_PAGE_TOKEN_INVALID",
    });
});
