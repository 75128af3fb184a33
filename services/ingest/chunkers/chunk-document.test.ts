import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { HeadwaterError } from "@headwater/errors";
import { SeededRandom } from "@headwater/testing/seeded-random";
import { Tokenizer } from "tokenizers";
import { parseDocument } from "../parsers/parse-document.ts";
import type { ParsedDocument } from "../parsers/parsed-document.ts";
import type { PassageSpan } from "./chunk-document.ts";
import { chunkDocument, strategyFor } from "./chunk-document.ts";
import type { ChunkingSettings, ChunkStrategy } from "./chunking-settings.ts";

const model = new URL("../../../models/bge-small-en-v1.5-int8/tokenizer.json", import.meta.url);
const tokenizer = Tokenizer.fromString(readFileSync(model, "utf8"));
const limits = { maxTextLength: 4_000_000, maxUnpackedBytes: 4_000_000 };
const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" });

function settings(strategy: ChunkStrategy, tokens = 48, overlapTokens = 12): ChunkingSettings {
  return { strategy, strategyByType: {}, tokens, overlapTokens };
}

function parse(text: string, mediaType = "text/plain"): Promise<ParsedDocument> {
  return parseDocument({ content: new TextEncoder().encode(text), mediaType, name: "" }, limits);
}

async function chunk(document: ParsedDocument, chosen: ChunkingSettings): Promise<PassageSpan[]> {
  return chunkDocument(document, tokenizer, chosen, 100_000);
}

async function countTokens(text: string): Promise<number> {
  return (await tokenizer.encode(text, null, { addSpecialTokens: false })).getLength();
}

const words = [
  ..."the flow over a wing at high speed is turbulent and hot. Dr. Smith said so! Was it? e.g. 3.5 mm".split(
    " ",
  ),
  ..."naïve cafe\u0301 😀 👩🏽‍🚀 👨‍👩‍👧‍👦 🇩🇪🇫🇷 日本語のテキストです。 שלום עולם. مرحبا بالعالم नमस्ते กำ x² ﬁ \u200d z\u0310\u0311\u0312 antidisestablishmentarianism".split(
    " ",
  ),
  "日本語".repeat(40),
  "x".repeat(300),
  "👩‍👩‍👧".repeat(30),
];

/** Prose of all scripts, with paragraphs, wrapped lines, lists and headings. */
function randomMarkdown(random: SeededRandom): string {
  const lines: string[] = [];
  for (let count = random.integer(1, 60); count > 0; count--) {
    const sentence = Array.from({ length: random.integer(1, 30) }, () => random.pick(words)).join(
      random.pick([" ", " ", "  ", "\n"]),
    );
    const start = random.pick(["", "", "", "# ", "## ", "### ", "- ", "\n", "\n\n\n"]);
    lines.push(start + sentence + random.pick(["", ".", "。", "!", "\n"]));
  }
  return lines.join("\n");
}

/** What holds for all strategies. */
function assertCovers(document: ParsedDocument, passages: readonly PassageSpan[]): void {
  let covered = 0;
  for (const { start, end } of passages) {
    assert(start < end && end <= document.text.length, "offsets are in order");
    assert(end > covered, "each passage has something new");
    assert.match(
      document.text.slice(covered, Math.max(covered, start)),
      /^\s*$/,
      "only white space is left out",
    );
    covered = end;
  }
  assert.match(document.text.slice(covered), /^\s*$/, "the end is covered");
}

function assertGraphemesWhole(document: ParsedDocument, passages: readonly PassageSpan[]): void {
  const boundaries = new Set([...graphemes.segment(document.text)].map(({ index }) => index));
  boundaries.add(document.text.length);
  for (const { start, end } of passages) assert(boundaries.has(start) && boundaries.has(end));
}

describe("every strategy, on random text of many scripts", () => {
  for (const strategy of ["window", "sentence", "hierarchical"] as const) {
    test(strategy, async () => {
      const random = new SeededRandom(7);
      for (let round = 0; round < 25; round++) {
        const document = await parse(randomMarkdown(random), random.pick(["text/plain", "text/markdown"]));
        const chosen = settings(strategy, random.integer(16, 64), 8);
        const passages = await chunk(document, chosen);
        assertCovers(document, passages);
        assertGraphemesWhole(document, passages);
        for (const { start, end, tokens } of passages) {
          assert(tokens <= chosen.tokens, `${tokens} tokens`);
          // A word that is cut in the middle may make a few tokens more by itself than as a part.
          const alone = await countTokens(document.text.slice(start, end));
          assert(alone <= chosen.tokens * 1.5, `${alone} tokens alone, ${tokens} in the text`);
        }
      }
    });
  }
});

describe("budget and overlap", () => {
  const prose = Array.from({ length: 120 }, (_, index) => `Sentence number ${index} tells of a river.`).join(
    " ",
  );

  test("windows are full and overlap by what was asked for", async () => {
    const document = await parse(prose);
    const passages = await chunk(document, settings("window", 64, 16));
    for (const [index, { start, end, tokens }] of passages.entries()) {
      assert.equal(tokens, await countTokens(document.text.slice(start, end)));
      if (index < passages.length - 1) assert(tokens >= 60, `${tokens} tokens`);
      const before = passages[index - 1];
      if (before === undefined) continue;
      const overlap = await countTokens(document.text.slice(start, before.end));
      assert(overlap >= 12 && overlap <= 16, `${overlap} tokens repeated`);
    }
  });

  test("sentences stay whole, and whole sentences overlap", async () => {
    const document = await parse(prose);
    const passages = await chunk(document, settings("sentence", 64, 16));
    for (const [index, { start, end }] of passages.entries()) {
      const text = document.text.slice(start, end);
      assert.match(text, /^Sentence number \d+ .*river\.$/s);
      const before = passages[index - 1];
      if (before === undefined) continue;
      assert.match(
        document.text.slice(start, before.end),
        /^(?:Sentence number \d+ tells of a river\. ?){1,2}$/,
      );
    }
  });

  test("without overlap nothing is repeated", async () => {
    for (const strategy of ["window", "sentence", "hierarchical"] as const) {
      const passages = await chunk(await parse(prose), settings(strategy, 32, 0));
      for (const [index, { start }] of passages.entries()) assert(start >= (passages[index - 1]?.end ?? 0));
    }
  });

  test("a sentence longer than a passage is cut between words, with overlap", async () => {
    const document = await parse(`${"word ".repeat(400)}end. Then a short one.`);
    const passages = await chunk(document, settings("sentence", 64, 16));
    assert(passages.length >= 8);
    for (const { start, end } of passages)
      assert.match(document.text.slice(start, end), /^(?:word|end|Then)\b.*\b(?:word|one\.|end\.)$/s);
  });

  test("a short document is one passage, with its own count of tokens", async () => {
    const document = await parse("  \n Rivers carry water 😀 to the sea.\n\n");
    assert.deepEqual(await chunk(document, settings("auto")), [
      { start: 4, end: document.text.trimEnd().length, page: 0, headingPath: [], tokens: 8 },
    ]);
  });
});

describe("hierarchy", () => {
  const filler = (topic: string, sentences: number) => `All about ${topic}. `.repeat(sentences).trim();

  test("sections are kept apart and know their headings", async () => {
    const markdown = `# Guide\n\n${filler("all", 8)}\n\n## Install\n\n${filler("install", 9)}\n\n## Use\n\n${filler("use", 9)}\n`;
    const document = await parse(markdown, "text/markdown");
    const passages = await chunk(document, settings("hierarchical", 56, 8));
    assert.deepEqual(
      passages.map(({ headingPath }) => headingPath),
      [["Guide"], ["Guide", "Install"], ["Guide", "Use"]],
    );
    assert.match(document.text.slice(passages[1]?.start, passages[1]?.end), /^Install\n\nAll about install/);
  });

  test("small sections under one heading are joined, and a heading is not left alone", async () => {
    const small = ["A", "B", "C"].map((name) => `### ${name}\n\nShort text.\n`).join("\n");
    const markdown = `# Top\n\n## Notes\n\n${small}\n## Long\n\n${filler("long things", 30)}\n`;
    const document = await parse(markdown, "text/markdown");
    const passages = await chunk(document, settings("hierarchical", 56, 8));
    const texts = passages.map(({ start, end }) => document.text.slice(start, end));
    assert.match(
      texts[0] ?? "",
      /^Top\n\nNotes\n\nA\n\nShort text\.\n\nB\n\nShort text\.\n\nC\n\nShort text\.$/,
    );
    assert.deepEqual(passages[0]?.headingPath, ["Top", "Notes"]);
    assert.match(texts[1] ?? "", /^Long\n\nAll about long things/);
    assert.deepEqual(passages.at(-1)?.headingPath, ["Top", "Long"]);
  });

  test("rows of a table stay whole", async () => {
    const rows = Array.from({ length: 40 }, (_, index) => `river-${index},${index * 10},Europe`).join("\n");
    const document = await parse(`name,length,continent\n${rows}\n`, "text/csv");
    const passages = await chunk(document, settings("auto", 64, 16));
    for (const { start, end } of passages) {
      assert.match(document.text.slice(start, end), /^name: river-\d+\n.*continent: Europe$/s);
    }
  });
});

describe("hostile text", () => {
  test("a cluster of a hundred thousand marks ends in bounded passages", async () => {
    const document = await parse(`before a${"\u0301".repeat(100_000)} after`);
    const passages = await chunk(document, settings("window", 256, 64));
    assert(passages.length < 20);
    assert.equal(passages[0]?.start, 0);
    assert.equal(passages.at(-1)?.end, document.text.length);
  });

  test("text without spaces, and long gaps without text, are cut by length", async () => {
    for (const text of [
      "x".repeat(300_000),
      `a${" ".repeat(300_000)}b`,
      "漢字".repeat(50_000),
      "a\u200b".repeat(50_000),
    ]) {
      const document = await parse(text);
      const passages = await chunk(document, settings("sentence", 256, 64));
      assertCovers(document, passages);
      for (const { start, end } of passages) assert(end - start <= 256 * 128, `${end - start} code units`);
    }
  });

  test("too many passages, and text without a token, are refused with a reason", async () => {
    const document = await parse("river ".repeat(5000));
    await assert.rejects(
      chunkDocument(document, tokenizer, settings("window"), 10),
      hasReason("HW_DOCUMENT_TOO_MANY_PASSAGES"),
    );
    await assert.rejects(
      chunk(await parse("\u200b\u200b"), settings("window")),
      hasReason("HW_DOCUMENT_EMPTY"),
    );
  });

  test("time grows with length, not with its square", async () => {
    const text = "One more sentence of some length, about rivers and the sea.\n".repeat(20_000);
    const started = performance.now();
    await chunk(await parse(text), settings("sentence", 256, 64));
    // 1.2 MB take about 2 s here; a whole-text segmentation alone would take more than a minute.
    assert(performance.now() - started < 20_000);
  });
});

test("the strategy of a type beats the default one, and auto goes by type", () => {
  const chosen: ChunkingSettings = { ...settings("auto"), strategyByType: { "text/html": "window" } };
  assert.equal(strategyFor("text/html", chosen), "window");
  assert.equal(strategyFor("text/markdown", chosen), "hierarchical");
  assert.equal(strategyFor("application/pdf", chosen), "sentence");
  assert.equal(strategyFor("application/pdf", settings("window")), "window");
});

function hasReason(reason: string) {
  return (thrown: unknown) => thrown instanceof HeadwaterError && thrown.reason === reason;
}
