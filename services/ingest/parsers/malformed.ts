import { SeededRandom } from "@headwater/testing/seeded-random";
import { bombs } from "./fixtures/bombs.ts";
import type { SampleDocument } from "./fixtures/sample-documents.ts";
import { sampleDocuments } from "./fixtures/sample-documents.ts";

/** A document that is wrong in some way, though not always so that it cannot be read. */
export interface MalformedDocument extends SampleDocument {
  /** What was done to it; unique names and this find a failure again. */
  readonly why: string;
}

type Mutation = (
  sample: SampleDocument,
  random: SeededRandom,
  samples: readonly SampleDocument[],
) => SampleDocument;

/** One in so many is a hand-made bomb; the others are mutations of good documents. */
const bombShare = 25;

/**
 * For tests: malformed documents, the same ones for the same seed. Each has to end as a document with correct passages
 * or with a reason; none may take anything down. Most are a few hundred bytes, the bombs up to a few hundred kilobytes.
 */
export function* malformedDocuments(count: number, seed: number): Generator<MalformedDocument> {
  const random = new SeededRandom(seed);
  const samples = sampleDocuments();
  const explosives = bombs();
  for (let number = 0; number < count; number++) {
    if (number % bombShare === bombShare - 1) {
      const bomb = explosives[Math.floor(number / bombShare) % explosives.length];
      if (bomb !== undefined) yield { ...bomb, name: `${number}-${bomb.name}`, why: `bomb: ${bomb.name}` };
      continue;
    }
    let sample = random.pick(samples);
    const steps: string[] = [];
    for (let round = random.integer(1, 3); round > 0; round--) {
      const [name, mutate] = random.pick(mutations);
      sample = mutate(sample, random, samples);
      steps.push(name);
    }
    yield { ...sample, name: `${number}-${sample.name}`, why: `${sample.name}: ${steps.join(", ")}` };
  }
}

const mutations: readonly (readonly [string, Mutation])[] = [
  [
    "truncated",
    (sample, random) =>
      withContent(sample, sample.content.slice(0, random.integer(0, sample.content.length))),
  ],
  [
    "beheaded",
    (sample, random) => withContent(sample, sample.content.slice(random.integer(0, sample.content.length))),
  ],
  ["bits flipped", flipBits],
  ["bytes overwritten", overwrite],
  ["a piece repeated", repeatPiece],
  ["a piece removed", removePiece],
  ["spliced with another", splice],
  ["another's type", (sample, random, samples) => ({ ...sample, mediaType: random.pick(samples).mediaType })],
  ["an odd type", (sample, random) => ({ ...sample, mediaType: random.pick(oddTypes) })],
  ["another's name", (sample, random, samples) => ({ ...sample, name: random.pick(samples).name })],
  ["odd characters", insertOddText],
  ["nesting", insertNesting],
  [
    "UTF-16",
    (sample) => withContent(sample, Buffer.from(Buffer.from(sample.content).toString("latin1"), "utf16le")),
  ],
  [
    "a byte order mark",
    (sample) => withContent(sample, Buffer.concat([Buffer.from([0xff, 0xfe]), sample.content])),
  ],
  ["bytes sorted", (sample) => withContent(sample, sample.content.toSorted())],
];

const oddTypes = [
  "",
  "text/plain; charset=utf-16",
  "text/html; charset=no-such-charset",
  "TEXT/HTML",
  "application/octet-stream",
  "image/png",
  "application/x-msdownload",
  "not a type",
  "text/",
  "/",
  "text/plain;;;;charset",
  `text/${"x".repeat(300)}`,
];

const oddTexts = [
  "\0",
  "\0".repeat(50),
  "\ufeff",
  "\u202e\u202d\u2066",
  "\u200d\u200b\u00ad\ufe0f",
  "a\u0301\u0302\u0303".repeat(40),
  "👩🏽‍🚀👨‍👩‍👧‍👦🇩🇪".repeat(30),
  "\u2028\u2029\u0085\f\v",
  "%s%n%x{{7*7}}<%= 1 %>",
  "\"'`;DROP TABLE documents;--",
  "../../../../etc/passwd",
  '\\ud800 "\\ud800" \\u0000',
  "<script>throw 1</script><style>@import 'http://127.0.0.1:1/x'</style><img src=http://127.0.0.1:1/ onerror=alert(1)>",
  "<!--<![CDATA[<?xml ]]>-->",
  "'''\"\"\"```~~~---\n===\n***",
  "x".repeat(5000),
  " ".repeat(5000),
  "\n".repeat(5000),
  '\t,;|"'.repeat(500),
];

const nestings: readonly (readonly [string, string])[] = [
  ["[", "]"],
  ['{"a":', "}"],
  ["<div>", "</div>"],
  ["<table><tr><td>", ""],
  ["> ", ""],
  ["- ", ""],
  ["**a *b ", ""],
  ["![](", ")"],
  ["<w:p><w:r>", "</w:r></w:p>"],
  ["<<", ">>"],
  ["(", ")"],
];

function withContent(sample: SampleDocument, content: Uint8Array): SampleDocument {
  return { ...sample, content: new Uint8Array(content) };
}

function flipBits(sample: SampleDocument, random: SeededRandom): SampleDocument {
  const content = sample.content.slice();
  for (let flips = random.integer(1, 1 + content.length / 50); flips > 0 && content.length > 0; flips--) {
    const at = random.integer(0, content.length - 1);
    content[at] = (content[at] ?? 0) ^ (1 << random.integer(0, 7));
  }
  return withContent(sample, content);
}

function overwrite(sample: SampleDocument, random: SeededRandom): SampleDocument {
  const content = sample.content.slice();
  const start = random.integer(0, content.length);
  const end = Math.min(content.length, start + random.integer(1, 200));
  const value = random.integer(0, 256);
  for (let at = start; at < end; at++) content[at] = value === 256 ? random.integer(0, 255) : value;
  return withContent(sample, content);
}

function pieceOf(content: Uint8Array, random: SeededRandom): { start: number; end: number } {
  const start = random.integer(0, content.length);
  return { start, end: Math.min(content.length, start + random.integer(1, 100)) };
}

function repeatPiece(sample: SampleDocument, random: SeededRandom): SampleDocument {
  const { start, end } = pieceOf(sample.content, random);
  const times = Array.from({ length: random.integer(1, 200) }, () => sample.content.subarray(start, end));
  return withContent(
    sample,
    Buffer.concat([sample.content.subarray(0, start), ...times, sample.content.subarray(start)]),
  );
}

function removePiece(sample: SampleDocument, random: SeededRandom): SampleDocument {
  const { start, end } = pieceOf(sample.content, random);
  return withContent(
    sample,
    Buffer.concat([sample.content.subarray(0, start), sample.content.subarray(end)]),
  );
}

function splice(
  sample: SampleDocument,
  random: SeededRandom,
  samples: readonly SampleDocument[],
): SampleDocument {
  const other = random.pick(samples).content;
  const head = sample.content.subarray(0, random.integer(0, sample.content.length));
  return withContent(sample, Buffer.concat([head, other.subarray(random.integer(0, other.length))]));
}

function insertText(sample: SampleDocument, random: SeededRandom, text: string): SampleDocument {
  const at = random.integer(0, sample.content.length);
  return withContent(
    sample,
    Buffer.concat([sample.content.subarray(0, at), Buffer.from(text), sample.content.subarray(at)]),
  );
}

function insertOddText(sample: SampleDocument, random: SeededRandom): SampleDocument {
  return insertText(sample, random, random.pick(oddTexts));
}

function insertNesting(sample: SampleDocument, random: SeededRandom): SampleDocument {
  const [open, close] = random.pick(nestings);
  const depth = random.integer(10, 3000);
  return insertText(sample, random, open.repeat(depth) + close.repeat(depth));
}
