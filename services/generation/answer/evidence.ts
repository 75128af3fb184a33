import type { Source } from "@headwater/language-model";
import type { Range } from "@headwater/text";
import { contentStems, sentences } from "@headwater/text";
import type { RankSentences } from "./sentence-ranking.ts";

/** Where a source says what a claim says. */
export interface EvidenceSpan extends Range {
  /** 0 to 1. */
  readonly support: number;
}

/**
 * Late interaction that 95 of 100 unrelated sentences do not reach on the bundled model; counted as no likeness at all.
 * From docs/decisions/0006-extractive-answers.md.
 */
const unrelated = 0.56;

/**
 * The sentence of a source that says most of what a claim says. Support is the mean of two shares: the claim's content
 * words that stand in the sentence, and the likeness in meaning where it could be scored.
 */
export async function findEvidence(
  claim: string,
  source: Source,
  rank: RankSentences,
  signal: AbortSignal,
): Promise<EvidenceSpan> {
  const ranges = sentences(source.text);
  const texts = ranges.map(({ start, end }) => source.text.slice(start, end));
  const wanted = new Set(contentStems(claim));
  const scores =
    texts.length > 1 || wanted.size === 0 ? await rank(claim, texts.slice(0, 256), signal) : undefined;
  let best: EvidenceSpan | undefined;
  for (const [index, { start, end }] of ranges.entries()) {
    const covered = coverage(wanted, texts[index] ?? "");
    const likeness = likenessOf(scores?.scores[index], scores?.scale);
    const support = likeness === undefined ? covered : (covered + likeness) / 2;
    if (!best || support > best.support) best = { start, end, support };
  }
  return best ?? { start: 0, end: source.text.length, support: 0 };
}

function coverage(wanted: ReadonlySet<string>, text: string): number {
  if (wanted.size === 0) return 0;
  const present = new Set(contentStems(text));
  return [...wanted].filter((stem) => present.has(stem)).length / wanted.size;
}

function likenessOf(score: number | undefined, scale: string | undefined): number | undefined {
  if (score === undefined) return undefined;
  const share =
    scale === "cross-encoder" ? 1 / (1 + Math.exp(-score)) : (score - unrelated) / (1 - unrelated);
  return Math.min(1, Math.max(0, share));
}
