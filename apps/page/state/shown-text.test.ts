import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hit } from "@headwater/client";
import { passageBody, unwrapped } from "./shown-text.ts";

const long = "A slow sand filter is a basin with a bed of fine sand through";

test("wrapped lines flow, and no offset moves", () => {
  const text = `${long}\nwhich raw water sinks.\n\n${long}\nthe rest.`;
  const shown = unwrapped(text);
  assert.equal(shown, `${long} which raw water sinks.\n\n${long} the rest.`);
  assert.equal(shown.length, text.length);
});

test("verse, tables and lists keep their lines", () => {
  for (const text of [
    "Still glides the Stream, and shall for ever glide;\nThe Form remains, the Function never dies;",
    `${long}\n  Rate of filtration           0.1 to 0.3 m per hour`,
    `${long}\n- an item\n- another`,
    `  ${long}\nunder an indented line`,
  ])
    assert.equal(unwrapped(text), text);
});

test("a passage is shown without the heading that it begins with", () => {
  const hit = {
    text: "The handle\n\nOn the evening the handle was taken off.",
    headingPath: ["The pump", "The handle"],
    highlights: [
      { start: 4, end: 10 },
      { start: 31, end: 37 },
    ],
    document: { mediaType: "text/markdown" },
  } as unknown as Hit;
  const { text, highlights } = passageBody(hit);
  assert.equal(text, "On the evening the handle was taken off.");
  assert.deepEqual(
    highlights.map(({ start, end }) => text.slice(start, end)),
    ["handle"],
  );
  assert.equal(passageBody({ ...hit, headingPath: ["Other"] }).text, hit.text);
});
