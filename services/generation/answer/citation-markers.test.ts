import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createCitationMarkerParser } from "./citation-markers.ts";

interface Read {
  text: string;
  markers: [sources: readonly number[], start: number, end: number][];
}

function read(pieces: readonly string[], sources = 3): Read {
  const parser = createCitationMarkerParser((number) => number >= 1 && number <= sources);
  const result: Read = { text: "", markers: [] };
  for (const piece of [...pieces.flatMap((part) => parser.push(part)), ...parser.end()]) {
    if (piece.type === "text") result.text += piece.text;
    else {
      result.markers.push([piece.sources, piece.start, piece.end]);
      assert.equal(piece.end, result.text.length, "a marker comes right after its text");
    }
  }
  return result;
}

test("markers in all their forms stay in the text, one bracket a source", () => {
  for (const [written, shown, sources] of [
    ["It is so [1].", "It is so [1].", [1]],
    ["It is so [1, 2].", "It is so [1][2].", [1, 2]],
    ["It is so [ 2;1 ].", "It is so [1][2].", [1, 2]],
    ["It is so [1-3].", "It is so [1][2][3].", [1, 2, 3]],
    ["It is so [1–2].", "It is so [1][2].", [1, 2]],
    ["It is so [2, 9].", "It is so [2].", [2]],
  ] as const) {
    const { text, markers } = read([written]);
    assert.equal(text, shown);
    const end = shown.lastIndexOf("]") + 1;
    assert.deepEqual(markers, [[sources, 9, end]]);
  }
});

test("markers that name no source are taken out with the space before them", () => {
  assert.deepEqual(read(["It is so [9]. And [4][5] so [0]"]), { text: "It is so. And so", markers: [] });
});

test("brackets that are no markers are left alone", () => {
  const text = "a[i], [x], [2026], [see 1], [], [1.5], [[, ], [-";
  assert.deepEqual(read([text]), { text, markers: [] });
});

test("a link that the model makes of a marker is broken up", () => {
  const { text } = read(["See [1](http://attacker.example/?q=secret) and [2] (fine)."]);
  assert.equal(text, "See [1] (http://attacker.example/?q=secret) and [2] (fine).");
});

test("text is not held back unless it could become a marker", () => {
  const parser = createCitationMarkerParser(() => true);
  const shown = (text: string) =>
    parser.push(text).flatMap((piece) => (piece.type === "text" ? [piece.text] : []));
  assert.deepEqual(shown("Pumps run "), ["Pumps run"]);
  assert.deepEqual(shown("well ["), [" well"]);
  assert.deepEqual(shown("1"), []);
  assert.deepEqual(shown("] and"), [" ", "[1]", " and"]);
  assert.deepEqual(shown(" [note"), [" [note"]);
  assert.equal(shown(` [${"1,".repeat(100)}`).join("").length > 100, true);
});

test("half a surrogate pair waits for its other half, and alone it is replaced", () => {
  const parser = createCitationMarkerParser(() => true);
  const texts = ["a\ud83d", "\ude00b", "\ud83d"].map((piece) => parser.push(piece));
  assert.deepEqual(texts, [[{ type: "text", text: "a" }], [{ type: "text", text: "😀b" }], []]);
  assert.deepEqual(parser.end(), [{ type: "text", text: "\ufffd" }]);
});

const answer = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "[1]",
        "[2, 3]",
        "[1-3]",
        "[9]",
        " [7]",
        "[",
        "]",
        "(",
        " ",
        "\n",
        "1",
        ",",
        "-",
        "😀",
        "\ud83d",
        "[ 1",
      ),
      fc.string({ maxLength: 5 }),
    ),
    { maxLength: 25 },
  )
  .map((parts) => parts.join(""));

test("however the stream is cut, the result is the same", () => {
  fc.assert(
    fc.property(answer, fc.array(fc.nat(60), { maxLength: 12 }), (text, cuts) => {
      const borders = [
        0,
        ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b),
        text.length,
      ];
      const pieces = borders.slice(1).map((end, index) => text.slice(borders[index], end));
      assert.deepEqual(read(pieces), read([text]));
      assert.deepEqual(read(text.split("")), read([text]));
    }),
    { numRuns: 2000 },
  );
});
