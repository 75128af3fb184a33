import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import { locateQuote, openAnswerSet, publicDomainSets } from "./index.ts";

const folder = await temporaryFolder();

async function writeSet(lines: readonly string[]): Promise<string> {
  const path = await mkdtemp(join(folder, "set-"));
  await mkdir(join(path, "documents"));
  await writeFile(join(path, "documents", "pump.md"), "# The pump\n\nIt runs\nday and night.\n");
  await writeFile(join(path, "questions.jsonl"), lines.join("\n"));
  return path;
}

test("a set is read with its alternatives", async () => {
  const set = await openAnswerSet(
    await writeSet([
      '{"id":"1","question":"When does it run?","evidence":[{"document":"pump.md","quote":"day and night","or":[{"document":"pump.md","quote":"runs day"}]}]}',
      "",
      '{"id":"2","question":"Who built it?","evidence":[]}',
    ]),
  );
  assert.deepEqual(set.documents, ["pump.md"]);
  assert.deepEqual(
    set.questions.map(({ evidence }) => evidence),
    [
      [
        [
          { document: "pump.md", quote: "day and night" },
          { document: "pump.md", quote: "runs day" },
        ],
      ],
      [],
    ],
  );
});

test("mistakes are told with their place", async () => {
  for (const [line, message] of [
    ["{", /questions\.jsonl:1: not JSON/],
    ['{"id":"1","question":" ","evidence":[]}', /questions\.jsonl:1: .*question/s],
    ['{"id":"1","question":"?","evidence":[{"document":"x.md","quote":"a"}]}', /no documents\/x\.md/],
    ["", /has no question/],
  ] as const) {
    await assert.rejects(openAnswerSet(await writeSet([line])), {
      name: "HeadwaterError",
      reason: "HW_ANSWER_SET_INVALID",
      message,
    });
  }
  await assert.rejects(openAnswerSet(join(folder, "none")), { reason: "HW_ANSWER_SET_INVALID" });
});

test("a quote is found across line ends, and has to stand there once", () => {
  const at = (quote: string) => locateQuote({ document: "a", quote }, "It runs\nday and night. It stops.");
  assert.deepEqual(at("runs  day"), { start: 3, end: 11 });
  assert.throws(() => at("It"), /more than once/);
  assert.throws(() => at("never"), /nowhere/);
});

for (const [part, path] of Object.entries(publicDomainSets)) {
  test(`each quote of the ${part} part stands once in its document`, async () => {
    const { folder, documents, questions } = await openAnswerSet(path);
    const texts = new Map<string, string>();
    for (const name of documents) texts.set(name, await readFile(join(folder, name), "utf8"));
    for (const quote of questions.flatMap(({ evidence }) => evidence.flat())) {
      locateQuote(quote, texts.get(quote.document) ?? "");
    }
    assert(questions.filter(({ evidence }) => evidence.length > 0).length >= 80);
    assert(questions.filter(({ evidence }) => evidence.length === 0).length >= 30);
  });
}
