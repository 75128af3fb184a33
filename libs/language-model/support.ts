import { contentStems } from "@headwater/text";
import type { CandidateSentence } from "./candidate-sentences.ts";

/** Scores of sentences against a question. */
export interface SentenceScores {
  /** One for each sentence, in order; undefined: not scored in time. */
  readonly scores: readonly (number | undefined)[];
  /** Late interaction: mean over the question's tokens of the best cosine, -1 to 1. Cross-encoder: logit. */
  readonly scale: "late-interaction" | "cross-encoder";
}

/** What speaks for a sentence as the answer to a question. */
export interface Evidence {
  /** In the scale of the scorer; undefined: words alone decide. */
  readonly similarity: number | undefined;
  /** Share of the question's content words that the sentence has, 0 to 1. */
  readonly coverage: number;
  /** Share that the whole source, with its title, has. */
  readonly context: number;
  /** Natural logarithm of one more than the question's content words: long questions are like anything. */
  readonly length: number;
}

/** Coefficients of a logistic regression. */
export interface Weights {
  readonly bias: number;
  readonly similarity: number;
  readonly coverage: number;
  readonly context: number;
  readonly length: number;
}

/**
 * Fitted by services/generation/calibration; docs/decisions/0006-extractive-answers.md has data and figures. A
 * cross-encoder's logit is taken as it was trained: the probability that the text is relevant.
 */
const fitted = {
  "late-interaction": { bias: -10.52, similarity: 17.37, coverage: 0, context: 1.79, length: -0.58 },
  "cross-encoder": { bias: 0, similarity: 1, coverage: 0, context: 0, length: 0 },
  words: { bias: -2.63, similarity: 0, coverage: 3.5, context: 2.71, length: 0.1 },
} as const satisfies Record<string, Weights>;

/** Logarithm of the odds, by the fitted logistic, that a sentence speaks to the question: above 0, more likely so. */
export function oddsOf(evidence: Evidence, scale: SentenceScores["scale"]): number {
  const weights = evidence.similarity === undefined ? fitted.words : fitted[scale];
  return (
    weights.bias +
    weights.similarity * (evidence.similarity ?? 0) +
    weights.coverage * evidence.coverage +
    weights.context * evidence.context +
    weights.length * evidence.length
  );
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

/** @param similarities one for each candidate; undefined: no scorer answered */
export function gatherEvidence(
  question: string,
  candidates: readonly CandidateSentence[],
  similarities: readonly (number | undefined)[] | undefined,
): Evidence[] {
  const wanted = questionStems(question);
  const contexts = new Map<number, number>();
  return candidates.map(({ source, stems }, index) => {
    const context =
      contexts.get(source.number) ??
      coverageOf(wanted, new Set(contentStems(`${source.title}\n${source.text}`)));
    contexts.set(source.number, context);
    return {
      similarity: similarities?.[index],
      coverage: coverageOf(wanted, stems),
      context,
      length: Math.log(1 + wanted.size),
    };
  });
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
  const evidence = gatherEvidence(question, candidates, scores?.scores);
  return candidates.flatMap((candidate, index) => {
    const found = evidence[index];
    if (!found) return [];
    const odds = oddsOf(found, scores?.scale ?? "late-interaction");
    return [{ ...candidate, odds, support: 1 / (1 + Math.exp(-odds)) }];
  });
}
