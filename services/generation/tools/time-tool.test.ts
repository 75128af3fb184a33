import assert from "node:assert/strict";
import { test } from "node:test";
import { toolContext } from "./testing/tool-context.ts";
import { createTimeTool } from "./time-tool.ts";

const time = createTimeTool(() => new Date("2026-11-21T17:30:00Z"));

test("the time now, in any zone, with its day", async () => {
  for (const [zone, text] of [
    [undefined, "2026-11-21T17:30:00+00:00 (Saturday, UTC, week 47)"],
    ["Asia/Kolkata", "2026-11-21T23:00:00+05:30 (Saturday, Asia/Kolkata, week 47)"],
    ["Pacific/Auckland", "2026-11-22T06:30:00+13:00 (Sunday, Pacific/Auckland, week 47)"],
  ] as const) {
    const input = { operation: "now", ...(zone ? { zone } : {}) };
    assert.deepEqual(await time.run(input, toolContext()), { text, failed: false });
  }
});

test("zones, differences and sums, over changes of the clock and leap days", async () => {
  for (const [input, text] of [
    [
      { operation: "convert", time: "2026-07-01T09:00", zone: "Europe/Amsterdam", to: "America/New_York" },
      "2026-07-01T03:00:00-04:00 (Wednesday, America/New_York, week 27)",
    ],
    [
      { operation: "difference", time: "2024-02-28", to: "2024-03-01" },
      "2 days (in all 2 days, or 172800 seconds)",
    ],
    [
      { operation: "difference", time: "2026-03-28T12:00", to: "2026-03-29T12:00", zone: "Europe/Berlin" },
      "1 days (in all 1 days, or 82800 seconds)",
    ],
    [
      { operation: "difference", time: "1969-07-20T20:17:40Z", to: "1969-07-21T02:56:15Z" },
      "6 hours, 38 minutes, 35 seconds (in all 0.277 days, or 23915 seconds)",
    ],
    [
      { operation: "add", time: "2026-01-31", duration: "P1M" },
      "2026-02-28T00:00:00+00:00 (Saturday, UTC, week 9)",
    ],
    [{ operation: "add", duration: "-P1W" }, "2026-11-14T17:30:00+00:00 (Saturday, UTC, week 46)"],
  ] as const) {
    assert.deepEqual(await time.run(input, toolContext()), { text, failed: false });
  }
});

test("what cannot be read is told, in words that help", async () => {
  for (const input of [
    { operation: "now", zone: "Mars/Olympus" },
    { operation: "convert", time: "yesterday" },
    { operation: "add", duration: "two days" },
    { operation: "add" },
    { operation: "difference", time: "2026-13-01" },
  ]) {
    const { text, failed } = await time.run(input, toolContext());
    assert(failed);
    assert.match(text, /Write times and durations as ISO 8601/);
  }
});
