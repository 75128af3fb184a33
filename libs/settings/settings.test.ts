import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadwaterError } from "@headwater/errors";
import { address, choice, flag, integer, readSettings, text } from "./index.ts";

const shape = {
  HEADWATER_PORT: address().default("127.0.0.1:0"),
  HEADWATER_DEPTH: integer(1, 256).default(30),
  HEADWATER_FUSION: choice(["min-max", "rrf"]).default("min-max"),
  HEADWATER_FAST: flag().default(false),
  HEADWATER_API_KEY: text().regex(/^sk-/, "must start with sk-").optional(),
};

test("defaults hold where nothing is set, and an empty string counts as unset", () => {
  assert.deepEqual(readSettings(shape, { HEADWATER_DEPTH: " " }), {
    HEADWATER_PORT: "127.0.0.1:0",
    HEADWATER_DEPTH: 30,
    HEADWATER_FUSION: "min-max",
    HEADWATER_FAST: false,
  });
});

test("every mistake is told at once, and secrets are not shown", () => {
  const env = {
    HEADWATER_DEPTH: "999",
    HEADWATER_FUSION: "sum",
    HEADWATER_PORT: "nowhere",
    HEADWATER_API_KEY: "hunter2",
  };
  assert.throws(
    () => readSettings(shape, env),
    (error: unknown) => {
      assert(error instanceof HeadwaterError);
      assert.equal(error.reason, "HW_SETTINGS_INVALID");
      assert.equal(
        error.message,
        [
          "4 settings are not valid:",
          '  HEADWATER_PORT="nowhere": not of the form host:port',
          '  HEADWATER_DEPTH="999": above 256',
          '  HEADWATER_FUSION="sum": allowed: min-max, rrf',
          "  HEADWATER_API_KEY=(hidden): must start with sk-",
        ].join("\n"),
      );
      return true;
    },
  );
});
