import type { Range } from "@headwater/text";
import { contentStems, isStopWord, stem, words } from "@headwater/text";
import { askingWord, hasAnswerType } from "./answer-type.ts";
import type { CandidateSentence } from "./candidate-sentences.ts";

/** Scores of sentences against a question. */
export interface SentenceScores {
  /** One for each sentence, in order; undefined: not scored in time. */
  readonly scores: readonly (number | undefined)[];
  /** Late interaction: mean over the question's tokens of the best cosine, -1 to 1. Cross-encoder: logit. */
  readonly scale: "late-interaction" | "cross-encoder";
  /** Of late interaction. */
  readonly tokens?: TokenScores;
  /** Of an answer head: for each sentence the log odds that it answers, or undefined. */
  readonly answerOdds?: readonly (number | undefined)[];
}

/** Which part of a question a sentence speaks of. */
export interface TokenScores {
  /** Where the model's tokens stand in the question; empty: one of the model's own. */
  readonly ranges: readonly Range[];
  /** Best cosine of each token, for each sentence. */
  readonly cosines: readonly (readonly number[])[];
}

/** What speaks for a sentence as the answer to a question. */
export interface Evidence {
  /** In the scale of the scorer; undefined: words alone decide. */
  readonly similarity: number | undefined;
  /** Log odds by the encoder's answer head; undefined where there is none. */
  readonly answer: number | undefined;
  /** Mean likeness of the question's content words, rare ones counting more; the similarity where it is not known. */
  readonly words: number;
  /** How far that is below the best sentence's, 0 or less. */
  readonly wordsGap: number;
  /** The same with each word taken where it is best: in the sentence, or in the one before or after. */
  readonly nearby: number;
  /** The most that any sentence is like each content word, all counting alike: is all of the question spoken of? */
  readonly found: number;
  /** Likeness of the word that asks, such as "who": what could be the answer is like it. */
  readonly asking: number;
  /** How far that is below the most of all sentences, 0 or less. */
  readonly askingGap: number;
  /** 1: the sentence has something of the kind that is asked for, such as a number; 0: it has not. */
  readonly answerType: number;
  /** Share of the question's content words that the sentence has, 0 to 1. */
  readonly coverage: number;
  /** Share that the whole source, with its title, has. */
  readonly context: number;
  /** Natural logarithm of one more than the question's content words: long questions are like anything. */
  readonly length: number;
}

/** Coefficients of a logistic regression; those that are not there are 0. */
export type Weights = Partial<Record<keyof Evidence, number>> & { readonly bias: number };

/**
 * Fitted on marked questions; docs/decisions/0006-extractive-answers.md has data, way and figures. A
 * cross-encoder's logit is taken as it was trained: the probability that the text is relevant.
 */
const fitted = {
  "late-interaction": {
    bias: -13.74,
    ...{ similarity: -23.54, words: 2.63, wordsGap: 27.12, nearby: 32.49 },
    ...{ found: -10.08, asking: 13.56, askingGap: 27.42 },
    answerType: 4.54,
  },
  "answer-head": {
    bias: -8.55,
    ...{ answer: 0.33, similarity: -14.64, words: 3.37, wordsGap: 14.19, nearby: 22.89 },
    ...{ found: -2.95, asking: 0.97, askingGap: 22.49 },
    answerType: 3.18,
  },
  "cross-encoder": { bias: 0, similarity: 1 },
  words: { bias: -2.63, coverage: 3.5, context: 2.71, length: 0.1 },
} as const satisfies Record<string, Weights>;

/** Logarithm of the odds, by the fitted logistic, that a sentence speaks to the question: above 0, more likely so. */
export function oddsOf(evidence: Evidence, scale: SentenceScores["scale"]): number {
  const { bias, ...weights }: Weights = fitted[fitFor(evidence, scale)];
  let odds = bias;
  for (const [name, weight] of Object.entries(weights))
    odds += weight * (evidence[name as keyof Evidence] ?? 0);
  return odds;
}

function fitFor({ similarity, answer }: Evidence, scale: SentenceScores["scale"]): keyof typeof fitted {
  if (similarity === undefined) return "words";
  return scale === "late-interaction" && answer !== undefined ? "answer-head" : scale;
}

/** Stems of what a question asks about. */
export function questionStems(question: string): ReadonlySet<string> {
  return new Set(contentStems(question));
}

/** Share of `wanted` that stands in `present`; 0 where nothing is wanted. */
export function coverageOf(wanted: ReadonlySet<string>, present: ReadonlySet<string>): number {
  if (wanted.size === 0) return 0;
  let found = 0;
  for (const stem of wanted) if (present.has(stem)) found += 1;
  return found / wanted.size;
}

/** @param scored undefined: no scorer answered */
export function gatherEvidence(
  question: string,
  candidates: readonly CandidateSentence[],
  scored: SentenceScores | undefined,
): Evidence[] {
  const wanted = questionStems(question);
  const contexts = new Map<number, number>();
  const likeness = wordLikeness(question, candidates, scored?.tokens);
  const similarities = candidates.map((_, index) => scored?.scores[index]);
  const wordsOf = candidates.map((_, index) => likeness?.own[index] ?? similarities[index] ?? 0);
  const askingOf = candidates.map((_, index) => likeness?.asking[index] ?? similarities[index] ?? 0);
  const bestWords = Math.max(...wordsOf);
  const bestAsking = Math.max(...askingOf);
  return candidates.map(({ source, stems, text }, index) => {
    const context =
      contexts.get(source.number) ??
      coverageOf(wanted, new Set(contentStems(`${source.title}\n${source.text}`)));
    contexts.set(source.number, context);
    const similarity = similarities[index];
    const own = wordsOf[index] ?? 0;
    const asking = askingOf[index] ?? 0;
    return {
      similarity,
      answer: scored?.answerOdds?.[index],
      words: own,
      wordsGap: own - bestWords,
      nearby: likeness?.nearby[index] ?? own,
      found: likeness?.found ?? bestWords,
      asking,
      askingGap: asking - bestAsking,
      answerType: hasAnswerType(question, text) ? 1 : 0,
      coverage: coverageOf(wanted, stems),
      context,
      length: Math.log(1 + wanted.size),
    };
  });
}

interface WordLikeness {
  /** One for each candidate; undefined: it has no score. */
  readonly own: readonly (number | undefined)[];
  readonly nearby: readonly (number | undefined)[];
  readonly asking: readonly (number | undefined)[];
  /** Of all candidates together. */
  readonly found: number;
}

/** How like each sentence is to the content words of the question, weighted by how rare these are among the sentences. */
function wordLikeness(
  question: string,
  candidates: readonly CandidateSentence[],
  tokens: TokenScores | undefined,
): WordLikeness | undefined {
  if (!tokens) return undefined;
  const tokensIn = ({ start, end }: Range) =>
    [...tokens.ranges.entries()].flatMap(([index, token]) =>
      token.end > token.start && token.start >= start && token.end <= end ? [index] : [],
    );
  const asked = words(question).flatMap((word) => {
    const at = tokensIn(word);
    return at.length === 0 || isStopWord(word.text) ? [] : [{ at, stem: stem(word.text) }];
  });
  if (asked.length === 0) return undefined;
  const titles = new Map(
    candidates.map(({ source }) => [source.number, new Set(contentStems(source.title))]),
  );
  const rarities = asked.map(({ stem }) => {
    const having = candidates.filter(
      ({ stems, source }) => stems.has(stem) || titles.get(source.number)?.has(stem),
    ).length;
    return Math.log(1 + (candidates.length - having + 0.5) / (having + 0.5));
  });
  const total = rarities.reduce((sum, rarity) => sum + rarity, 0);
  const meanAt = (at: readonly number[], cosines: readonly number[]) =>
    at.reduce((sum, token) => sum + (cosines[token] ?? 0), 0) / at.length;
  const likeness = (cosines: readonly number[] | undefined) =>
    cosines &&
    asked.reduce((sum, { at }, word) => sum + (meanAt(at, cosines) * (rarities[word] ?? 0)) / total, 0);
  const cosinesOf = (index: number) => {
    const cosines = tokens.cosines[index];
    return cosines && cosines.length > 0 ? cosines : undefined;
  };
  const known = candidates.flatMap((_, index) => {
    const cosines = cosinesOf(index);
    return cosines ? [cosines] : [];
  });
  const asking = tokensIn(askingWord(question) ?? { start: 0, end: 0 });
  return {
    own: candidates.map((_, index) => likeness(cosinesOf(index))),
    asking: candidates.map((_, index) => {
      const cosines = cosinesOf(index);
      return cosines && asking.length > 0 ? meanAt(asking, cosines) : undefined;
    }),
    found:
      asked.reduce((sum, { at }) => sum + Math.max(-1, ...known.map((cosines) => meanAt(at, cosines))), 0) /
      asked.length,
    nearby: candidates.map(({ source }, index) => {
      const around = [index - 1, index, index + 1].flatMap((at) => {
        const cosines = candidates[at]?.source.number === source.number ? cosinesOf(at) : undefined;
        return cosines ? [cosines] : [];
      });
      return likeness(
        tokens.ranges.map((_, token) => Math.max(...around.map((cosines) => cosines[token] ?? -1))),
      );
    }),
  };
}

/** A candidate and how well it supports an answer. */
export interface ScoredSentence extends CandidateSentence {
  readonly odds: number;
  /** The odds as a probability. */
  readonly support: number;
}

export function scoreCandidates(
  question: string,
  candidates: readonly CandidateSentence[],
  scores: SentenceScores | undefined,
): ScoredSentence[] {
  const evidence = gatherEvidence(question, candidates, scores);
  return candidates.flatMap((candidate, index) => {
    const found = evidence[index];
    if (!found) return [];
    const odds = oddsOf(found, scores?.scale ?? "late-interaction");
    return [{ ...candidate, odds, support: 1 / (1 + Math.exp(-odds)) }];
  });
}
