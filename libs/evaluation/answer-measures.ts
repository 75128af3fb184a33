/** A part of a document. */
export interface DocumentSpan {
  readonly document: string;
  /** Offsets into the document's text, half-open. */
  readonly start: number;
  readonly end: number;
}

/** A question with its marked evidence, and the citations of the answer that it got. */
export interface JudgedAnswer {
  /** Pieces that the answer needs, each with the spans of which any one says it; none: the documents do not say. */
  readonly evidence: readonly (readonly DocumentSpan[])[];
  /** What the answer cites; none: it was refused, or said without a source. */
  readonly citations: readonly DocumentSpan[];
  /** The answer said that the documents do not say. */
  readonly refused: boolean;
}

/** Shares from 0 to 1; docs/answer-quality.md has their definitions. 0 where there is nothing to count. */
export interface AnswerMeasures {
  /** Of the citations of answers to questions that can be answered: those that meet marked evidence. */
  readonly citationPrecision: number;
  /** Mean over the questions that can be answered: the pieces of evidence that are cited. */
  readonly citationRecall: number;
  /** Of the questions that cannot be answered: those that were refused. */
  readonly rightRefusals: number;
  /** Of the questions that can be answered: those that were refused. */
  readonly wrongRefusals: number;
  readonly answerable: number;
  readonly unanswerable: number;
  readonly citations: number;
}

/** Shared part of the shorter of two spans from which they are about the same words. */
const metShare = 0.5;

export function measureAnswers(answers: readonly JudgedAnswer[]): AnswerMeasures {
  const answerable = answers.filter(({ evidence }) => evidence.length > 0);
  const unanswerable = answers.filter(({ evidence }) => evidence.length === 0);
  let right = 0;
  let citations = 0;
  let recall = 0;
  for (const answer of answerable) {
    const marked = answer.evidence.flat();
    citations += answer.citations.length;
    right += answer.citations.filter((citation) => marked.some((span) => meets(citation, span))).length;
    const cited = answer.evidence.filter((spans) =>
      spans.some((span) => answer.citations.some((citation) => meets(citation, span))),
    );
    recall += cited.length / answer.evidence.length;
  }
  return {
    citationPrecision: share(right, citations),
    citationRecall: share(recall, answerable.length),
    rightRefusals: share(unanswerable.filter(({ refused }) => refused).length, unanswerable.length),
    wrongRefusals: share(answerable.filter(({ refused }) => refused).length, answerable.length),
    answerable: answerable.length,
    unanswerable: unanswerable.length,
    citations,
  };
}

function meets(a: DocumentSpan, b: DocumentSpan): boolean {
  if (a.document !== b.document) return false;
  const shared = Math.min(a.end, b.end) - Math.max(a.start, b.start);
  return shared > 0 && shared >= metShare * Math.min(a.end - a.start, b.end - b.start);
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
