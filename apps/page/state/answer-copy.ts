import type { CitationEvent } from "@headwater/client";
import type { CitedAnswer } from "./answer.ts";
import type { AnswerPart } from "./answer-text.ts";
import { answerAsText, answerParts, numberSources } from "./answer-text.ts";
import { placeOf, titleOf } from "./format.ts";

/** An answer in runs. Where the passages were not kept, its citations tell which sources there are. */
export function partsOf({ text, citations, hits }: CitedAnswer): AnswerPart<CitationEvent>[] {
  return answerParts(text, citations, Math.max(hits.length, ...citations.map(({ source }) => source)));
}

/** An answer with its sources as plain text, for the clipboard. */
export function copyOf(answer: CitedAnswer): string {
  const parts = partsOf(answer);
  const numbers = numberSources(parts);
  const sources = [...numbers].flatMap(([source, number]) => {
    const citations = answer.citations.filter((citation) => citation.source === source);
    const hit = answer.hits[source - 1];
    const document = hit?.document ?? citations[0]?.document;
    if (!document) return [];
    return {
      number,
      title: titleOf(document),
      place: placeOf(hit?.page ?? citations[0]?.page ?? 0, hit?.headingPath ?? [], titleOf(document)),
      address: document.uri || document.id,
      quotes: [...new Set(citations.map(({ quote }) => quote))],
    };
  });
  return answerAsText(parts, numbers, sources);
}
