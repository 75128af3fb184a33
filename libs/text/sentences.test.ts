import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { graphemeFloor, sentences } from "./index.ts";

const split = (text: string, maxLength?: number) =>
  sentences(text, maxLength).map(({ start, end }) => text.slice(start, end));

test("abbreviations, initials and decimals do not end a sentence", () => {
  assert.deepEqual(
    split("Dr. Smith met J. R. Jones. He saw Fig. 3. It is 3.5 m long, e.g. a table. See No. 5."),
    ["Dr. Smith met J. R. Jones.", "He saw Fig. 3.", "It is 3.5 m long, e.g. a table.", "See No. 5."],
  );
  assert.deepEqual(split("They lack vitamin C. The dose is small. The U.S. Army won. He said no. We left."), [
    "They lack vitamin C.",
    "The dose is small.",
    "The U.S. Army won.",
    "He said no.",
    "We left.",
  ]);
});

test("speech, brackets and repeated marks stay whole", () => {
  assert.deepEqual(split('"Really?" he said. (Nobody spoke.) What?! Then he left...'), [
    '"Really?" he said.',
    "(Nobody spoke.)",
    "What?!",
    "Then he left...",
  ]);
});

test("text without capitals and tokenised text are split as well", () => {
  assert.deepEqual(split("lift of a wing . an experimental study, see fig. 3 for it . the end ."), [
    "lift of a wing .",
    "an experimental study, see fig. 3 for it .",
    "the end .",
  ]);
  assert.deepEqual(split("blood and plasma. a method is polarography."), [
    "blood and plasma.",
    "a method is polarography.",
  ]);
});

test("list items and headings stand alone, without their marks", () => {
  const text =
    "# Pumps\nPumps move water.\n\n- one thing\n- two things. Or three\n\n1. Open the valve. Wait.\n2. Close it.";
  assert.deepEqual(split(text), [
    "Pumps",
    "Pumps move water.",
    "one thing",
    "two things.",
    "Or three",
    "1. Open the valve.",
    "Wait.",
    "2. Close it.",
  ]);
  assert.deepEqual(
    sentences(text).map(({ heading }) => heading),
    [true, false, false, false, false, false, false, false],
  );
});

test("a short line between blank lines that does not end like a sentence is a heading", () => {
  const found = sentences("Introduction\n\nThe pump runs.\n\nIt stops.");
  assert.deepEqual(
    found.map(({ heading }) => heading),
    [true, false, false],
  );
});

test("wrapped lines are joined, rows are not", () => {
  const wrapped = [
    "The valve is opened by hand before the pump is started, as",
    "Watt wrote in his letters. It is closed when the tank is",
    "full.",
  ].join("\n");
  assert.deepEqual(split(wrapped), [
    "The valve is opened by hand before the pump is started, as\nWatt wrote in his letters.",
    "It is closed when the tank is\nfull.",
  ]);
  const rows =
    "Name: pump, price: 3\nName: a valve of brass, price: 40, in stock\nName: tap, price: 1\nName: hose";
  assert.deepEqual(split(rows), rows.split("\n"));
});

test("scripts without spaces or capitals are split by their own marks", () => {
  assert.deepEqual(split("今日は雨です。傘はありますか？はい"), [
    "今日は雨です。",
    "傘はありますか？",
    "はい",
  ]);
  assert.deepEqual(split("هل هذا كتاب؟ نعم، هذا كتاب."), ["هل هذا كتاب؟", "نعم، هذا كتاب."]);
});

test("an overlong sentence is cut between words, and never within a grapheme", () => {
  const pieces = split(`${"valve ".repeat(30)}end`, 50);
  assert(pieces.every((piece) => piece.length <= 50 && /^valve.*(valve|end)$/.test(piece)));
  assert.equal(pieces.join(" "), `${"valve ".repeat(30)}end`);
  assert.deepEqual(split("👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 12), ["👩‍👩‍👧‍👦", "👩‍👩‍👧‍👦", "👩‍👩‍👧‍👦"]);
});

const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 12 }),
      fc.constantFrom(
        "Dr. ",
        "e.g. ",
        ". ",
        " . ",
        "\n",
        "\r\n",
        "\n\n",
        "- ",
        "# ",
        "1. ",
        "3.5",
        "🇩🇪",
        "é",
        "文。",
        "שלום. ",
      ),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(""));

test("sentences of any text are in order, trimmed, and lose nothing but white space and marks", () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 20, max: 200 }), (text, maxLength) => {
      let at = 0;
      for (const { start, end } of sentences(text, maxLength)) {
        assert(start >= at && end > start && end <= text.length);
        assert.equal(text.slice(start, end), text.slice(start, end).trim());
        assert.doesNotMatch(text.slice(at, start), /[\p{Lu}\p{Ll}\p{Lo}]/u);
        assert(start === graphemeFloor(text, start) || /\s/.test(text.charAt(start - 1)));
        at = end;
      }
      assert.doesNotMatch(text.slice(at), /[\p{Lu}\p{Ll}\p{Lo}]/u);
    }),
    { numRuns: 500 },
  );
});

test("a short line with a label and its value says something, and is no heading", () => {
  const found = sentences("Geography\n\nArea: total: 103,000 sq km\n\nIt is an island.");
  assert.deepEqual(
    found.map(({ heading }) => heading),
    [true, false, false],
  );
});
