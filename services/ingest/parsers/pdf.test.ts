import assert from "node:assert/strict";
import { test } from "node:test";
import type { PdfText } from "./fixtures/pdf-file.ts";
import { pdfLines, writePdf } from "./fixtures/pdf-file.ts";
import { parseDocument } from "./parse-document.ts";

async function parse(pages: readonly (readonly PdfText[])[], title?: string) {
  const content = writePdf({ pages, ...(title === undefined ? {} : { title }) });
  const document = await parseDocument(
    { content, mediaType: "application/pdf", name: "" },
    { maxTextLength: 100_000, maxUnpackedBytes: 0 },
  );
  const blocks = document.blocks.map(({ start, end, page, kind }) => ({
    text: document.text.slice(start, end),
    page,
    kind,
  }));
  return { ...document, blocks };
}

test("lines become paragraphs; words that were broken at a line's end become whole again", async () => {
  const { text } = await parse([
    [
      ...pdfLines([
        "A well-known break, and a hyphen-",
        "ated word, and a well-",
        "known one: 3-",
        "4 items.",
      ]),
      ...pdfLines(["The next paragraph stands", "apart."], { top: 680 }),
    ],
  ]);
  assert.equal(
    text,
    "A well-known break, and a hyphenated word, and a well-known one: 3- 4 items.\n\nThe next paragraph stands apart.",
  );
});

test("columns are read one after the other, and a sentence goes on over the gap", async () => {
  const { text } = await parse([
    [
      ...pdfLines(["Left one,", "left two, and"]),
      ...pdfLines(["right one goes on.", "Right two."], { x: 320 }),
    ],
  ]);
  assert.equal(text, "Left one, left two, and right one goes on. Right two.");
});

test("running headers and page numbers are left out, page numbers of blocks are kept", async () => {
  const pages = ["First", "Second", "Third", "Fourth", "Fifth"].map((word, index) => [
    ...pdfLines(["Annual report"], { top: 820 }),
    ...pdfLines([`${word} page has this to say.`, "And this."]),
    ...pdfLines([`${index + 1}`], { top: 30 }),
  ]);
  const { blocks } = await parse(pages);
  assert.deepEqual(
    blocks.map(({ text, page }) => [page, text]),
    ["First", "Second", "Third", "Fourth", "Fifth"].map((word, index) => [
      index + 1,
      `${word} page has this to say. And this.`,
    ]),
  );
});

test("larger print is a heading, and leaders of a table of contents are not", async () => {
  const body = ["because headings are told by being", "larger than most of the print."];
  const { blocks, title } = await parse([
    [
      ...pdfLines(["The whole of it"], { size: 20 }),
      ...pdfLines(["1 Start . . . . . . . . . . . 7"], { top: 730, size: 14 }),
      ...pdfLines(["1 Start"], { top: 700, size: 14 }),
      ...pdfLines(["Here is some body text that is long", "enough to be the body of it all,", ...body], {
        top: 670,
      }),
    ],
  ]);
  assert.equal(title, "The whole of it");
  assert.deepEqual(
    blocks.map(({ kind, text }) => `${kind} ${text}`),
    [
      "heading The whole of it",
      "paragraph 1 Start … 7",
      "heading 1 Start",
      `paragraph Here is some body text that is long enough to be the body of it all, ${body.join(" ")}`,
    ],
  );
});

test("a title that a program wrote is none", async () => {
  const page = pdfLines(["Some text of one size."]);
  assert.equal((await parse([page], "Microsoft Word - draft3.doc")).title, "");
  assert.equal((await parse([page], "report.tex")).title, "");
  assert.equal((await parse([page], "On wind")).title, "On wind");
});
