import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDocument } from "./parse-document.ts";

async function rows(text: string, mediaType = "text/csv"): Promise<string[]> {
  const document = await parseDocument(
    { content: new TextEncoder().encode(text), mediaType, name: "" },
    { maxTextLength: 100_000, maxUnpackedBytes: 0 },
  );
  return document.blocks.map(({ start, end }) => document.text.slice(start, end));
}

test("the delimiter is found, also among others in quotes", async () => {
  for (const delimiter of [",", ";", "\t", "|"]) {
    const cells = (...values: string[]) => values.join(delimiter);
    const text = `${cells("name", "place")}\n${cells("Anna", '"Bonn, ""B""; D|E"')}\n${cells("Otto", "Trier")}\n`;
    assert.deepEqual(await rows(text), ['name: Anna\nplace: Bonn, "B"; D|E', "name: Otto\nplace: Trier"]);
  }
});

test("rows of any length are kept", async () => {
  assert.deepEqual(await rows("a,b\n1\n1,2,3\n\n,\n"), ["a: 1", "a: 1\nb: 2\n3"]);
});

test("without a header the values stand alone", async () => {
  assert.deepEqual(await rows("1,2\n3,4\n"), ["1 | 2", "3 | 4"]);
  assert.deepEqual(await rows("x,x\ny,z\n"), ["x | x", "y | z"]);
});

test("a header alone is text, and a quote that never closes loses nothing", async () => {
  assert.deepEqual(await rows("name,place\n"), ["name | place"]);
  assert.deepEqual((await rows('a,b\n"x,y\nz,w\n')).join("\n").match(/[xyzw]/g), ["x", "y", "z", "w"]);
});
