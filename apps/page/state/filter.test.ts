import assert from "node:assert/strict";
import { test } from "node:test";
import { filterOf, toggled } from "./filter.ts";
import { plainOptions } from "./route.ts";

test("values of one attribute are joined, and no filter is no filter", () => {
  assert.equal(filterOf(plainOptions), undefined);
  assert.deepEqual(
    filterOf({
      ...plainOptions,
      mediaTypes: ["text/csv"],
      attributes: [
        ["lang", "de"],
        ["lang", "fr"],
        ["year", "1854"],
      ],
    }),
    { mediaTypes: ["text/csv"], attributes: { lang: ["de", "fr"], year: ["1854"] } },
  );
});

test("toggling adds and removes by value", () => {
  const once = toggled<readonly [string, string]>([], ["a", "b"]);
  assert.deepEqual(once, [["a", "b"]]);
  assert.deepEqual(toggled<readonly [string, string]>(once, ["a", "b"]), []);
});
