import { estimateTokens, graphemeFloor } from "@headwater/text";
import type { CandidateSentence } from "./candidate-sentences.ts";
import { candidateSentences, saySame, withoutCitationMarks, withTitle } from "./candidate-sentences.ts";
import type { FinishReason, LanguageModel, ModelEvent, ModelRequest } from "./language-model.ts";
import type { ScoredSentence, SentenceScores } from "./support.ts";
import { coverageOf, questionStems, scoreCandidates } from "./support.ts";

export interface ExtractiveModelOptions {
  /** "extractive" by default. */
  readonly name?: string;
  /**
   * Scores at most `maxScored` sentences against a question; `sources` are the numbers of those that they are from.
   * Undefined: no scorer answered, and words alone decide. An abort rejects.
   */
  readonly rankSentences: (
    question: string,
    sentences: readonly string[],
    signal: AbortSignal,
    sources: readonly number[],
  ) => Promise<SentenceScores | undefined>;
}

/** What an answer says where nothing in the sources supports one. */
export const noSupportAnswer = "The documents do not say.";

/** The embedding-worker's limit of passages in one Rerank. */
const maxScored = 256;
/** Log odds below which even the best sentence is no answer. Even odds are 0; 0006-extractive-answers.md has the trade. */
const leastOdds = -0.3;
/** Further sentences may be this much less likely than the best: 0006-extractive-answers.md has the figures. */
const oddsMargin = 0.6;
const maxSentences = 4;

/** Adapter: no model writes, the answer is made of the sources' best supporting sentences, each with its source. */
export function createExtractiveModel(options: ExtractiveModelOptions): LanguageModel {
  const { name = "extractive", rankSentences } = options;
  return {
    name,
    provider: "extractive",
    toolCalling: "none",
    contextTokens: undefined,
    generate: (request, signal) => generate(request, signal, name, rankSentences),
    close: async () => {},
  };
}

async function* generate(
  request: ModelRequest,
  signal: AbortSignal,
  model: string,
  rankSentences: ExtractiveModelOptions["rankSentences"],
): AsyncGenerator<ModelEvent> {
  signal.throwIfAborted();
  const candidates = shortlist(request.question, candidateSentences(request.sources));
  const texts = candidates.map(withTitle);
  const from = candidates.map(({ source }) => source.number);
  const scores = texts.length === 0 ? undefined : await rankSentences(request.question, texts, signal, from);
  const chosen = inReadingOrder(choose(scoreCandidates(request.question, candidates, scores)));
  const inputTokens = estimateTokens(`${request.question} ${texts.join(" ")}`);
  const finish = (reason: FinishReason, outputTokens: number): ModelEvent => ({
    type: "finish",
    reason,
    usage: { inputTokens, outputTokens, cost: 0 },
    model,
  });

  if (chosen.length === 0) {
    yield { type: "text", text: noSupportAnswer };
    yield finish("no-support", estimateTokens(noSupportAnswer));
    return;
  }
  let outputTokens = 0;
  for (const [index, sentence] of chosen.entries()) {
    const marker = `${index === 0 ? "" : " "}% [${sentence.source.number}]`;
    const room = request.maxOutputTokens - outputTokens - estimateTokens(marker);
    const piece = fit(sentence, room, index === 0);
    if (piece) {
      signal.throwIfAborted();
      const text = marker.replace("%", () => piece.text);
      outputTokens += estimateTokens(text);
      yield { type: "text", text };
      const { start, end } = piece;
      yield { type: "evidence", source: sentence.source.number, start, end, support: sentence.support };
    }
    if (piece?.text !== closed(sentence.text)) {
      yield finish("length", outputTokens);
      return;
    }
  }
  yield finish("complete", outputTokens);
}

/** Where there are more sentences than the scorer takes, those that share most words with the question. */
function shortlist(question: string, candidates: CandidateSentence[]): CandidateSentence[] {
  if (candidates.length <= maxScored) return candidates;
  const wanted = questionStems(question);
  const kept = new Set(
    candidates
      .map((candidate) => ({ candidate, coverage: coverageOf(wanted, candidate.stems) }))
      .sort((a, b) => b.coverage - a.coverage)
      .slice(0, maxScored)
      .map(({ candidate }) => candidate),
  );
  return candidates.filter((candidate) => kept.has(candidate));
}

/** Best first; none where even the best does not support an answer. */
function choose(scored: readonly ScoredSentence[]): ScoredSentence[] {
  const ranked = scored.toSorted((a, b) => b.odds - a.odds);
  const least = Math.max(leastOdds, (ranked[0]?.odds ?? 0) - oddsMargin);
  const chosen: ScoredSentence[] = [];
  for (const sentence of ranked) {
    if (chosen.length === maxSentences || sentence.odds < least) break;
    if (!chosen.some((other) => saySame(other, sentence))) chosen.push(sentence);
  }
  return chosen;
}

/** The best source's sentences first, those of one source in its own order. */
function inReadingOrder(chosen: readonly ScoredSentence[]): ScoredSentence[] {
  const bySource = Map.groupBy(chosen, ({ source }) => source.number);
  return [...bySource.values()].flatMap((group) => group.toSorted((a, b) => a.start - b.start));
}

/** The sentence, or where `cut` allows as many of its words as `room` tokens take; undefined where none fits. */
function fit(
  sentence: ScoredSentence,
  room: number,
  cut: boolean,
): { text: string; start: number; end: number } | undefined {
  const { start, end, source } = sentence;
  const text = closed(sentence.text);
  if (estimateTokens(text) <= room) return { text, start, end };
  if (!cut) return undefined;
  const raw = withoutCitationMarks(source.text.slice(start, end));
  let length = raw.length;
  while (length > 0 && estimateTokens(`${raw.slice(0, length)} …`) > room) {
    const space = raw.lastIndexOf(" ", length - 1);
    length = space > 0 ? space : graphemeFloor(raw, length - 1);
  }
  const kept = raw.slice(0, length).trimEnd();
  return kept === ""
    ? undefined
    : { text: `${kept.replace(/\s+/g, " ")} …`, start, end: start + kept.length };
}

/** Rows and list items end without a mark; in running text they need one. */
function closed(text: string): string {
  return /[.!?…。！？]["'”’)\]]*$/u.test(text) || /[:;,]$/.test(text) ? text : `${text}.`;
}
