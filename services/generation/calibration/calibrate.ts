/**
 * Fits when the extractive model says that the documents do not say.
 *
 *   node services/embedding-worker/main.ts &
 *   node services/generation/calibration/calibrate.ts <folder with cranfield/ and med/> [host:port of the worker]
 *
 * Prints the coefficients for libs/language-model/support.ts, the figures of those that it has (built), and so the tables
 * of docs/decisions/0006.
 */
import { join } from "node:path";
import type { Evidence } from "@headwater/language-model/extraction";
import { candidateSentences, gatherEvidence, oddsOf, withTitle } from "@headwater/language-model/extraction";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import { createRpcClient } from "@headwater/rpc";
import { readCollection, readQuestionSet } from "./corpora.ts";
import type { Coefficients } from "./logistic-regression.ts";
import { areaUnderCurve, fitLogistic, odds } from "./logistic-regression.ts";
import type { Passage } from "./retrieval.ts";
import { createRetriever } from "./retrieval.ts";

/** A question asked of a corpus, and what its candidate sentences have to say for themselves. */
interface Asked {
  readonly group: "collections" | "questions" | "without relevant";
  readonly answerable: boolean;
  readonly sentences: readonly { readonly evidence: Evidence; readonly marked: boolean }[];
}

type Features = (evidence: Evidence) => number[];
/** Log odds. */
type Score = (evidence: Evidence) => number;

const passagesPerQuestion = 8;
const cranfieldEvery = 3;
const sentencesPerQuestion = 12;
const folds = 5;
const margins = [0.5, 1, 1.5, 2];
/**
 * Weight of all answerable and of all other questions of a group. Natural questions that have an answer count double:
 * holding back an answer that is there costs a reader more than a cited sentence that misses.
 */
const weights = { collections: [50, 50], questions: [100, 50], "without relevant": [0, 0] } as const;

interface Model {
  readonly features: Features;
  /** Chooses sentences before there is a fit. */
  readonly first: Score;
  readonly train: (questions: readonly Asked[], model: Model) => Coefficients;
  /** What libs/language-model has now. */
  readonly built: Score;
}

const likeness: Features = ({ similarity = 0, ...evidence }) => [
  ...[similarity, evidence.words, evidence.wordsGap, evidence.nearby],
  ...[evidence.found, evidence.asking, evidence.askingGap, evidence.answerType],
];

const models: Record<string, Model> = {
  "answer-head": {
    features: (evidence) => [evidence.answer ?? 0, ...likeness(evidence)],
    first: ({ words }) => words,
    train: trainOnSentences,
    built: (evidence) => oddsOf(evidence, "late-interaction"),
  },
  "late-interaction": {
    features: likeness,
    first: ({ words }) => words,
    train: trainOnSentences,
    built: (evidence) => oddsOf({ ...evidence, answer: undefined }, "late-interaction"),
  },
  words: {
    features: ({ coverage, context, length }) => [coverage, context, length],
    first: ({ coverage }) => coverage,
    train: trainOnQuestions,
    built: (evidence) => oddsOf({ ...evidence, similarity: undefined }, "late-interaction"),
  },
};

const [data, address = "127.0.0.1:7002"] = process.argv.slice(2);
if (data === undefined) throw new Error("name the folder that holds cranfield/ and med/");
const embedding = createRpcClient(EmbeddingServiceDefinition, address);
const asked = await askAll(data);
embedding.close();

for (const [name, model] of Object.entries(models)) {
  const { features, train, built } = model;
  const scoreBy =
    (beta: Coefficients): Score =>
    (evidence) =>
      odds(beta, features(evidence));
  const fitted = asked.filter(({ group }) => group !== "without relevant");
  const beta = train(fitted, model);
  const crossed = Array.from({ length: folds }, (_, fold) => {
    const without = train(
      fitted.filter((__, index) => index % folds !== fold),
      model,
    );
    return fitted.flatMap((question, index) =>
      index % folds === fold ? [judge(question, scoreBy(without))] : [],
    );
  }).flat();
  print(`\n${name}: ${beta.map((value) => value.toFixed(2)).join(", ")}`);
  const held = (group: Asked["group"]) => crossed.filter((judged) => judged.group === group);
  for (const [label, score] of [
    ["fit", scoreBy(beta)],
    ["built", built],
  ] as const) {
    for (const group of ["collections", "questions", "without relevant"] as const) {
      const inGroup = asked.filter((question) => question.group === group);
      print(`  ${label}, ${group}: ${describe(inGroup.map((question) => judge(question, score)))}`);
    }
    for (const margin of margins)
      print(`  ${label}, margin ${margin}: ${describeChoice(asked, score, margin)}`);
  }
  for (const group of ["collections", "questions"] as const)
    print(`  ${folds}-fold, ${group}: ${describe(held(group))}`);
}

const unrelated = asked
  .filter(({ group, answerable }) => group === "collections" && !answerable)
  .flatMap(({ sentences }) => sentences.flatMap(({ evidence }) => evidence.similarity ?? []))
  .sort((a, b) => a - b);
const quantile = (share: number) => (unrelated[Math.floor(share * (unrelated.length - 1))] ?? 0).toFixed(2);
print(`\nsimilarity of unrelated sentences: median ${quantile(0.5)}, 95th percentile ${quantile(0.95)}`);

async function askAll(folder: string): Promise<Asked[]> {
  const cranfield = readCollection(join(folder, "cranfield"), cranfieldEvery);
  const med = readCollection(join(folder, "med"), 1);
  const sets = [await readQuestionSet("training"), await readQuestionSet("development")];
  const [inCranfield, inMed, ...inSets] = await Promise.all(
    [cranfield, med, ...sets].map(({ passages }) => createRetriever(passages, embedding)),
  );
  if (!inCranfield || !inMed) throw new Error("a retriever is missing");
  const none: ReadonlySet<string> = new Set();
  const all: Asked[] = [];
  for (const [{ queries }, own, other] of [
    [cranfield, inCranfield, inMed],
    [med, inMed, inCranfield],
  ] as const) {
    for (const { text, relevant } of queries) {
      all.push(await ask("collections", true, text, await own.find(text, passagesPerQuestion, none)));
      all.push(await ask("collections", false, text, await other.find(text, passagesPerQuestion, none)));
      all.push(
        await ask("without relevant", false, text, await own.find(text, passagesPerQuestion, relevant)),
      );
    }
  }
  for (const [index, { questions }] of sets.entries()) {
    for (const { question, evidence } of questions) {
      const found = (await inSets[index]?.find(question, passagesPerQuestion, none)) ?? [];
      all.push(await ask("questions", evidence.length > 0, question, found, evidence));
    }
  }
  return all.filter(({ sentences }) => sentences.length > 0);
}

async function ask(
  group: Asked["group"],
  answerable: boolean,
  question: string,
  passages: readonly Passage[],
  marked: readonly string[] = [],
): Promise<Asked> {
  const candidates = candidateSentences(
    passages.map((passage, index) => ({ ...passage, number: index + 1 })),
  ).slice(0, 256);
  if (candidates.length === 0) return { group, answerable, sentences: [] };
  const texts = candidates.map(({ text }) => text);
  const { scores, queryTokens } = await embedding.call.rerank({
    query: question,
    passages: candidates.map(withTitle),
    tokenScores: true,
    answerOdds: true,
    sources: candidates.map(({ source }) => source.number),
  });
  const evidence = gatherEvidence(question, candidates, {
    scores: scores.map(({ score }) => score),
    scale: "late-interaction",
    tokens: { ranges: queryTokens, cosines: scores.map(({ tokenScores }) => tokenScores) },
    answerOdds: scores.map(({ answerOdds }) => answerOdds),
  });
  return {
    group,
    answerable,
    sentences: evidence.map((found, index) => ({
      evidence: found,
      marked: marked.some((words) => texts[index]?.includes(words)),
    })),
  };
}

/**
 * Fits on the sentence that would be chosen. Which one that is depends on the fit, so there are a few rounds; and since
 * they need not settle, the scale of the chosen sentences' odds is fitted once more at the end (Platt, 1999).
 */
function trainOnQuestions(questions: readonly Asked[], { features, first }: Model): Coefficients {
  const counts = new Map<string, number>();
  const kindOf = ({ group, answerable }: Asked) => `${group} ${answerable}`;
  for (const question of questions) counts.set(kindOf(question), (counts.get(kindOf(question)) ?? 0) + 1);
  const weightOf = (question: Asked) =>
    weights[question.group][question.answerable ? 0 : 1] / (counts.get(kindOf(question)) ?? 1);

  let score = first;
  let beta: Coefficients = [];
  for (let round = 0; round < 10; round += 1) {
    beta = fitLogistic(
      questions.map((question) => {
        const best = question.sentences.reduce((a, b) => (score(b.evidence) > score(a.evidence) ? b : a));
        return {
          features: features(best.evidence),
          positive: question.answerable,
          weight: weightOf(question),
        };
      }),
    );
    const current = beta;
    score = (evidence) => odds(current, features(evidence));
  }
  const [shift = 0, scale = 1] = fitLogistic(
    questions.map((question) => ({
      features: [Math.max(...question.sentences.map(({ evidence }) => score(evidence)))],
      positive: question.answerable,
      weight: weightOf(question),
    })),
  );
  return beta.map((value, index) => scale * value + (index === 0 ? shift : 0));
}

/**
 * Fits on the sentences of the questions with marked evidence, and of queries on another subject, which none answers: the
 * marked ones against those that are most like the question. Then the scale of the best sentences' odds is fitted to
 * whether there is an answer to the marked ones (Platt, 1999), with equal weights: a wrong answer to a question of this
 * kind is worth as much as a missing one.
 */
function trainOnSentences(questions: readonly Asked[], { features, first }: Model): Coefficients {
  const marked = questions.filter(({ group }) => group === "questions");
  const strange = questions.filter(({ group, answerable }) => group === "collections" && !answerable);
  const beta = fitLogistic(
    [...marked, ...strange].flatMap(({ sentences }) => {
      const closest = sentences.toSorted((a, b) => first(b.evidence) - first(a.evidence));
      const chosen = closest.filter((sentence, index) => index < sentencesPerQuestion || sentence.marked);
      const positives = chosen.filter((sentence) => sentence.marked).length;
      return chosen.map((sentence) => ({
        features: features(sentence.evidence),
        positive: sentence.marked,
        weight: 1 / (sentence.marked ? positives : chosen.length - positives),
      }));
    }),
  );
  const answerable = marked.filter((question) => question.answerable).length;
  const [shift = 0, scale = 1] = fitLogistic(
    marked.map((question) => ({
      features: [Math.max(...question.sentences.map(({ evidence }) => odds(beta, features(evidence))))],
      positive: question.answerable,
      weight: 100 / (question.answerable ? answerable : marked.length - answerable),
    })),
  );
  return beta.map((value, index) => scale * value + (index === 0 ? shift : 0));
}

function judge({ group, answerable, sentences }: Asked, scoreOf: Score) {
  const score = Math.max(...sentences.map(({ evidence }) => scoreOf(evidence)));
  return { group, positive: answerable, score };
}

function describe(judged: readonly { readonly positive: boolean; readonly score: number }[]): string {
  const positives = judged.filter(({ positive }) => positive);
  const negatives = judged.filter(({ positive }) => !positive);
  const answered = positives.filter(({ score }) => score >= 0).length;
  const refused = negatives.filter(({ score }) => score < 0).length;
  const area =
    positives.length > 0 && negatives.length > 0 ? `, AUC ${areaUnderCurve(judged).toFixed(3)}` : "";
  return `answered ${answered} of ${positives.length}, refused ${refused} of ${negatives.length}${area}`;
}

/** How many of the sentences that an answer would have are marked as evidence. */
function describeChoice(questions: readonly Asked[], scoreOf: Score, margin: number): string {
  let [given, right, withEvidence] = [0, 0, 0];
  const answerable = questions.filter((question) => question.group === "questions" && question.answerable);
  for (const { sentences } of answerable) {
    const scored = sentences.map(({ evidence, marked }) => ({
      marked,
      score: scoreOf(evidence),
    }));
    const best = Math.max(...scored.map(({ score }) => score));
    const chosen = scored
      .filter(({ score }) => score >= Math.max(0, best - margin))
      .sort((a, b) => b.score - a.score)
      .slice(0, 4);
    given += chosen.length;
    right += chosen.filter(({ marked }) => marked).length;
    withEvidence += chosen.some(({ marked }) => marked) ? 1 : 0;
  }
  const precision = (right / given).toFixed(2);
  return `${given} sentences, precision ${precision}, evidence found for ${withEvidence} of ${answerable.length}`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
