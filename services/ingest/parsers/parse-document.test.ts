import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HeadwaterError } from "@headwater/errors";
import { strToU8, zipSync } from "fflate";
import { docxParagraph, writeDocx } from "./fixtures/docx-file.ts";
import { pdfLines, writePdf } from "./fixtures/pdf-file.ts";
import { sampleDocuments } from "./fixtures/sample-documents.ts";
import { mediaTypes } from "./media-types.ts";
import { parseDocument } from "./parse-document.ts";
import type { ParsedDocument } from "./parsed-document.ts";

const limits = { maxTextLength: 1_000_000, maxUnpackedBytes: 10_000_000 };

function parse(content: string | Uint8Array, mediaType = "", name = ""): Promise<ParsedDocument> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return parseDocument({ content: bytes, mediaType, name }, limits);
}

async function reasonOf(parsed: Promise<ParsedDocument>): Promise<string> {
  try {
    return `parsed as ${(await parsed).mediaType}`;
  } catch (thrown) {
    assert(thrown instanceof HeadwaterError, String(thrown));
    assert(thrown.message.length > 20 && thrown.action.length > 10);
    return thrown.reason;
  }
}

/** Kind, heading path and text of each block. */
function outline({ text, blocks }: ParsedDocument): string[] {
  return blocks.map(
    ({ kind, start, end, headingPath }) => `${kind} [${headingPath.join(" > ")}] ${text.slice(start, end)}`,
  );
}

describe("each format gives its text, title and headings", () => {
  const expected: Record<string, { title: string; outline: string[] }> = {
    "tides.txt": {
      title: "",
      outline: [
        "paragraph [] The moon raises the tides.",
        "paragraph [] Twice a day the sea comes in, and twice it goes out. At spring tide sun and moon pull together; at neap tide they pull apart.",
      ],
    },
    "bread.md": {
      title: "Bread at home",
      outline: [
        "paragraph [] baking, yeast",
        "heading [Bread] Bread",
        "paragraph [Bread] Flour, water, salt and time.",
        "heading [Bread > Dough] Dough",
        "paragraph [Bread > Dough] 1. Mix.",
        "paragraph [Bread > Dough] 2. Wait.",
        "code [Bread > Dough] oven --heat 230",
        "paragraph [Bread > Dough] flour | water",
        "paragraph [Bread > Dough] 500 g | 350 g",
      ],
    },
    "bees.html": {
      title: "On bees",
      outline: [
        "heading [Bees] Bees",
        "paragraph [Bees] A hive has one queen.",
        "heading [Bees > Honey] Honey",
        "paragraph [Bees > Honey] Bees make honey of nectar.",
        "paragraph [Bees > Honey] - acacia",
        "paragraph [Bees > Honey] - lime",
      ],
    },
    "rivers.csv": {
      title: "",
      outline: [
        "row [] name: Rhine\nlength: 1233\nnote: rises in the Alps, ends in the North Sea",
        "row [] name: Elbe\nlength: 1094",
        'row [] name: Danube\nlength: 2850\nnote: passes "four" capitals',
      ],
    },
    "lakes.tsv": {
      title: "",
      outline: ["row [] lake: Constance\ndepth: 251", "row [] lake: Geneva\ndepth: 310"],
    },
    "star.json": {
      title: "Sirius",
      outline: [
        "row [] Sirius\nThe brightest star of the night sky.\nmagnitude: -1.46\nnames: Dog Star, α CMa\nposition.constellation: Canis Major",
      ],
    },
    "stars.jsonl": {
      title: "",
      outline: ["row [] Vega\nThe brightest star of Lyra.", "row [] Deneb\nThe brightest star of Cygnus."],
    },
    "count.py": {
      title: "",
      outline: [
        "code [] import sys",
        'code [def count(words)] def count(words):\n    """How often each word comes."""\n    found = {}',
        "code [def count(words)]     for word in words:\n        found[word] = found.get(word, 0) + 1\n    return found",
        "code [] print(count(sys.stdin.read().split()))",
      ],
    },
    "wind.pdf": {
      title: "Wind",
      outline: [
        "heading [Of wind] Of wind",
        "paragraph [Of wind] Wind is air that moves from high pressure to low pressure.",
        "paragraph [Of wind] A storm is wind of more than 90 km/h.",
      ],
    },
    "salt.docx": {
      title: "Salt & sea",
      outline: [
        "heading [Salt] Salt",
        "paragraph [Salt] Sea water holds 35 g of salt in a litre.",
        "heading [Salt > Springs] Springs",
        "paragraph [Salt > Springs] Brine springs hold more.",
      ],
    },
  };
  for (const { name, mediaType, content } of sampleDocuments()) {
    test(name, async () => {
      const declared = await parse(content, mediaType);
      assert.equal(declared.mediaType, mediaType);
      assert.deepEqual({ title: declared.title, outline: outline(declared) }, expected[name]);
      assert.deepEqual(
        await parse(content, "", `https://example.org/files/${name}?v=2`),
        declared,
        "by its suffix",
      );
      assert.deepEqual(await parse(content, "application/octet-stream", name.toUpperCase()), declared);
    });
  }
});

describe("the content beats a declared type that is wrong", () => {
  const samples = Object.fromEntries(sampleDocuments().map(({ name, content }) => [name, content]));
  const cases: [string, string, string, string][] = [
    ["wind.pdf", "text/plain", "", mediaTypes.pdf],
    ["wind.pdf", "text/html", "page.html", mediaTypes.pdf],
    ["salt.docx", "application/pdf", "", mediaTypes.docx],
    ["salt.docx", "application/zip", "", mediaTypes.docx],
    ["tides.txt", "image/png", "photo.png", mediaTypes.text],
    ["tides.txt", "application/pdf", "scan.pdf", mediaTypes.text],
    ["bees.html", "application/pdf", "scan.pdf", mediaTypes.html],
    ["bees.html", "", "", mediaTypes.html],
    ["stars.jsonl", "application/json", "", mediaTypes.jsonLines],
    ["stars.jsonl", "", "", mediaTypes.jsonLines],
    ["star.json", "", "", mediaTypes.json],
    ["bread.md", "", "", mediaTypes.markdown],
    ["count.py", "text/plain", "count.py", "text/x-python"],
    ["count.py", "video/mp2t", "main.ts", "text/x-typescript"],
  ];
  for (const [file, declared, name, resolved] of cases) {
    test(`${file} as ${declared || "nothing"} ${name}`, async () => {
      assert.equal((await parse(samples[file] ?? "", declared, name)).mediaType, resolved);
    });
  }
});

describe("what cannot be read is refused with a reason", () => {
  const png = Buffer.from("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de", "hex");
  const noise = new Uint8Array(4000).map((_, index) => (index * 7919 + ((index * index) >> 3)) & 255);
  const compoundFile = (marker: string) =>
    new Uint8Array(
      Buffer.concat([
        Buffer.from("d0cf11e0a1b11ae1", "hex"),
        Buffer.alloc(512, 1),
        Buffer.from(marker, "utf16le"),
      ]),
    );
  const cases: [string, () => Promise<ParsedDocument>, string][] = [
    ["empty", () => parse(""), "HW_DOCUMENT_EMPTY"],
    ["white space", () => parse(" \n\t\u00a0\n"), "HW_DOCUMENT_EMPTY"],
    ["HTML without text", () => parse("<!doctype html><title>T</title><img src=x>"), "HW_DOCUMENT_EMPTY"],
    ["a picture", () => parse(png, "text/plain", "a.txt"), "HW_DOCUMENT_IMAGE"],
    ["a zip archive", () => parse(zipSync({ "a.txt": strToU8("x") })), "HW_MEDIA_TYPE_UNSUPPORTED"],
    ["RTF", () => parse("{\\rtf1\\ansi Hello}", "text/plain"), "HW_MEDIA_TYPE_UNSUPPORTED"],
    [
      "an old Word file",
      () => parse(compoundFile("WordDocument"), "application/msword"),
      "HW_MEDIA_TYPE_UNSUPPORTED",
    ],
    [
      "encrypted OOXML",
      () => parse(compoundFile("EncryptedPackage"), mediaTypes.docx),
      "HW_DOCUMENT_ENCRYPTED",
    ],
    ["noise", () => parse(noise), "HW_DOCUMENT_BINARY"],
    ["noise as PDF", () => parse(noise, mediaTypes.pdf), "HW_DOCUMENT_CORRUPT"],
    ["broken JSON", () => parse('{"a": ', mediaTypes.json), "HW_DOCUMENT_CORRUPT"],
    ["a broken line", () => parse('{"a":1}\n{"a":\n', mediaTypes.jsonLines), "HW_DOCUMENT_CORRUPT"],
    [
      "deep JSON",
      () => parse(`${"[".repeat(5000)}1${"]".repeat(5000)}`, mediaTypes.json),
      "HW_DOCUMENT_TOO_COMPLEX",
    ],
    [
      "deep Markdown",
      () => parse(`${"> ".repeat(3000)}text`, mediaTypes.markdown),
      "HW_DOCUMENT_TOO_COMPLEX",
    ],
    ["long text", () => parse("x".repeat(1_000_001)), "HW_DOCUMENT_TOO_LARGE"],
    [
      "long rows",
      () => parse(`a,b\n${"xxxxx,yyyyy\n".repeat(90_000)}`, mediaTypes.csv),
      "HW_DOCUMENT_TOO_LARGE",
    ],
    [
      "an encrypted PDF",
      () => parse(writePdf({ pages: [pdfLines(["x"])], encrypted: true })),
      "HW_DOCUMENT_ENCRYPTED",
    ],
    ["a PDF of pictures", () => parse(writePdf({ pages: [[], []] })), "HW_DOCUMENT_NO_TEXT"],
    [
      "half a PDF",
      () => parse(writePdf({ pages: [pdfLines(["x"])] }).subarray(0, 40)),
      "HW_DOCUMENT_CORRUPT",
    ],
    [
      "half a DOCX",
      () => parse(writeDocx({ body: docxParagraph("x") }).subarray(0, 900), "", "half.docx"),
      "HW_DOCUMENT_CORRUPT",
    ],
    [
      "a DOCX with entities",
      () => parse(writeDocx({ body: docxParagraph("x"), prolog: '<!DOCTYPE w [<!ENTITY a "b">]>' })),
      "HW_DOCUMENT_CORRUPT",
    ],
    [
      "a DOCX that unpacks to too much",
      () =>
        parse(writeDocx({ body: docxParagraph("x"), parts: { "word/big.xml": new Uint8Array(11_000_000) } })),
      "HW_DOCUMENT_BOMB",
    ],
    [
      "a DOCX that packs too well",
      () =>
        parse(writeDocx({ body: docxParagraph("x"), parts: { "word/big.xml": new Uint8Array(9_000_000) } })),
      "HW_DOCUMENT_BOMB",
    ],
    [
      "a DOCX with an archive in it",
      () => parse(writeDocx({ body: docxParagraph("x"), parts: { "word/in.zip": zipSync({}) } })),
      "HW_DOCUMENT_BOMB",
    ],
  ];
  for (const [what, parsed, reason] of cases) {
    test(what, async () => assert.equal(await reasonOf(parsed()), reason));
  }
});

test("a size that the archive states too small does not unpack further", async () => {
  const docx = writeDocx({ body: docxParagraph("x".repeat(5000)) });
  const lying = Buffer.from(docx);
  // The central directory's entry of the main part: the size stands 22 bytes before the name.
  const entry = lying.lastIndexOf("word/document.xml");
  lying.writeUInt32LE(100, entry - 22);
  assert.equal(await reasonOf(parse(new Uint8Array(lying))), "HW_DOCUMENT_CORRUPT");
});

describe("extracted text is fit for every store", () => {
  test("no lone surrogates, no control characters, one kind of line end", async () => {
    const { text } = await parse('{"title":"a\\ud800b\\u0000c","text":"line\\r\\nline"}', mediaTypes.json);
    assert.equal(text, "a\ufffdb c\nline\nline");
    assert.equal((await parse("one\r\ntwo\rthree\n")).text, "one\ntwo\nthree\n");
  });

  test("a text's own offsets stay as they are", async () => {
    const source = "  first 😀 paragraph\n\nsecond\n";
    const { text, blocks } = await parse(source);
    assert.equal(text, source);
    assert.deepEqual(
      blocks.map(({ start, end }) => text.slice(start, end)),
      ["first 😀 paragraph", "second"],
    );
  });
});
