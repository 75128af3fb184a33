import assert from "node:assert/strict";
import { test } from "node:test";
import { conformanceRequest, languageModelConformance } from "./conformance.ts";
import type { ModelEvent, Source } from "./index.ts";
import { createExtractiveModel, noSupportAnswer } from "./index.ts";

const never = new AbortController().signal;
/** Words alone decide, as when the embedding-worker is away. */
const byWords = createExtractiveModel({ rankSentences: async () => undefined });

languageModelConformance("the extractive model", async () => ({
  model: byWords,
  close: () => byWords.close(),
}));

const source = (number: number, text: string, title = ""): Source => ({ number, title, text });
const ask = (question: string, sources: readonly Source[], maxOutputTokens = 500, model = byWords) =>
  Array.fromAsync(model.generate({ ...conformanceRequest, question, sources, maxOutputTokens }, never));
const textOf = (events: readonly ModelEvent[]) =>
  events.flatMap((event) => (event.type === "text" ? [event.text] : [])).join("");

/** A scorer as the embedding-worker is one. */
const scoring = (score: (text: string) => number) =>
  createExtractiveModel({
    rankSentences: async (_, texts) => ({ scale: "late-interaction", scores: texts.map(score) }),
  });

const glaciers = [
  source(1, "Rivers are long. The Aletsch glacier lost 1.3 km of length since 1880."),
  source(2, "The Aletsch glacier is 23 km long. It lies in Switzerland. Marmots whistle."),
  source(3, "The Aletsch glacier lost 1.3 km of length since 1880. A hut stands near."),
];

test("sentences that several passages share are given once, in reading order, with exact evidence", async () => {
  const model = scoring((text) => (text.includes("lost") ? 0.91 : text.includes("23 km") ? 0.905 : 0.5));
  const events = await ask("What is known of the Aletsch glacier?", glaciers.toReversed(), 500, model);
  assert.equal(
    textOf(events),
    "The Aletsch glacier lost 1.3 km of length since 1880. [3] The Aletsch glacier is 23 km long. [2]",
  );
  const quotes = events.flatMap((event) =>
    event.type === "evidence" ? [glaciers[event.source - 1]?.text.slice(event.start, event.end)] : [],
  );
  assert.deepEqual(quotes, [
    "The Aletsch glacier lost 1.3 km of length since 1880.",
    "The Aletsch glacier is 23 km long.",
  ]);
});

test("a sentence that is clearly less likely than the best is left out", async () => {
  const model = scoring((text) => (text.includes("lost") ? 0.91 : text.includes("23 km") ? 0.8 : 0.5));
  const text = textOf(await ask("What is known of the Aletsch glacier?", glaciers, 500, model));
  assert.equal(text, "The Aletsch glacier lost 1.3 km of length since 1880. [1]");
});

test("of sentences that are alike the one is given that the answer head says answers, and none where it says none does", async () => {
  const asked: (readonly number[])[] = [];
  const heading = (odds: (text: string) => number) =>
    createExtractiveModel({
      rankSentences: async (_, texts, __, sources) => {
        asked.push(sources);
        const scores = texts.map(() => 0.7);
        return { scale: "late-interaction", scores, answerOdds: texts.map(odds) };
      },
    });
  const question = "How long is the Aletsch glacier?";
  const answering = heading((text) => (text.includes("23 km") ? 12 : -12));
  assert.equal(
    textOf(await ask(question, glaciers, 500, answering)),
    "The Aletsch glacier is 23 km long. [2]",
  );
  const near = heading(() => -12);
  assert.equal(textOf(await ask(question, glaciers, 500, near)), noSupportAnswer);
  assert.deepEqual(asked[0], [1, 1, 2, 2, 2, 3]);
});

test("a question that nothing supports is answered in so many words", async () => {
  for (const sources of [glaciers, []]) {
    const events = await ask("Who invented the sewing machine?", sources);
    assert.equal(textOf(events), noSupportAnswer);
    assert(events.at(-1)?.type === "finish" && events.length === 2);
    assert.deepEqual(events.at(-1), { ...events.at(-1), reason: "no-support" });
  }
});

test("headings, questions and scraps are no answers, and bracketed numbers are no citations", async () => {
  const text =
    "# How tall is Mont Blanc\n\nHow tall is Mont Blanc?\n\nMont Blanc.\n\nMont Blanc is 4,806 m tall [12].";
  const events = await ask("How tall is Mont Blanc?", [source(7, text)]);
  assert.equal(textOf(events), "Mont Blanc is 4,806 m tall (12). [7]");
});

test("rows and items without a full stop get one, wrapped lines become one line", async () => {
  const events = await ask("Where is the Rhine gauge of Kaub?", [
    source(1, "- The Rhine gauge of Kaub stands at kilometre\n546 of the river"),
  ]);
  assert.equal(textOf(events), "The Rhine gauge of Kaub stands at kilometre 546 of the river. [1]");
});

test("a sentence longer than the bound is cut between words, never within a grapheme", async () => {
  const family = "👩‍👩‍👧‍👦";
  const events = await ask(
    `Where is the ${family} river Rhine?`,
    [source(1, `The river Rhine ${family.repeat(80)} flows.`)],
    20,
  );
  const text = textOf(events);
  assert.match(text, /^The river Rhine.* … \[1\]$/u);
  assert(text.isWellFormed());
  const evidence = events[1];
  assert(evidence?.type === "evidence" && evidence.end < 80 * family.length);
});

test("likeness in meaning finds what words do not", async () => {
  const sources = [
    source(1, "The physician was paid ten guineas. The weather in the doctor's town was grim that year."),
  ];
  const model = scoring((text) => (text.includes("guineas") ? 0.9 : 0.55));
  assert.match(textOf(await ask("What did the doctor earn?", sources, 500, model)), /ten guineas\. \[1\]/);
});

test("at most as many sentences are scored as the scorer takes", async () => {
  let most = 0;
  const model = createExtractiveModel({
    rankSentences: async (_, texts) => {
      most = Math.max(most, texts.length);
      return undefined;
    },
  });
  const many = Array.from({ length: 400 }, (_, index) => `Village ${index} has a mill and a church.`).join(
    " ",
  );
  const text = textOf(await ask("Which mill has village 399?", [source(1, many)], 500, model));
  assert.equal(most, 256);
  assert.match(text, /Village 399/);
});

test("a reader who leaves while sentences are scored ends the scoring", async () => {
  const leave = new AbortController();
  const model = createExtractiveModel({
    rankSentences: (_, __, signal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  });
  const answer = Array.fromAsync(model.generate(conformanceRequest, leave.signal));
  leave.abort();
  await assert.rejects(answer, { name: "AbortError" });
});
