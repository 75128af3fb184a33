import assert from "node:assert/strict";
import { test } from "node:test";
import { readQuestionSet } from "./corpora.ts";

test("the evidence of each question is a part of one passage", async () => {
  const { passages, questions } = await readQuestionSet("training");
  const texts = passages.map(({ text }) => text.replace(/\s+/g, " "));
  for (const quote of questions.flatMap(({ evidence }) => evidence)) {
    assert(
      texts.some((text) => text.includes(quote)),
      quote,
    );
  }
});

test("a passage is called by its document and its section", async () => {
  const { passages } = await readQuestionSet("training");
  const titles = passages.filter(({ id }) => id.startsWith("sqlite-uses.md/")).map(({ title }) => title);
  const name = "Appropriate Uses For SQLite";
  assert.equal(titles[0], `${name} > ${name}`);
  assert(titles.includes(`${name} > ${name} > Situations Where SQLite Works Well > Websites`));
  assert(
    titles.includes(
      `${name} > ${name} > Situations Where A Client/Server RDBMS May Work Better > High Concurrency`,
    ),
  );
});
