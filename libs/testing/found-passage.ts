import { Stage } from "@headwater/proto/services/headwater/v1/search";

export const document = {
  id: "guide/tides.md",
  version: 1_700_000_000_000,
  title: "Tides",
  uri: "https://example.org/tides",
  mediaType: "text/markdown",
  attributes: { shelf: "sea" },
  observedTime: new Date("2026-11-01T12:00:00Z"),
};
export const text = "Spring tides come at new moon and at full moon.";

export function hit(request: { explain?: boolean; highlight?: boolean }) {
  return {
    passageId: "default/guide/tides.md/1700000000000/0",
    document,
    text,
    location: { range: { start: 10, end: 10 + text.length }, page: 2, headingPath: ["Sea", "Tides"] },
    score: 0.75,
    rank: 1,
    highlights: request.highlight ? [{ start: 0, end: 6 }] : [],
    explanation: request.explain
      ? {
          lists: [
            { stage: Stage.LEXICAL, rank: 1, score: 12.5, weight: 0.4, share: 0.3 },
            { stage: Stage.VECTOR, rank: 2, score: 0.8, weight: 0.6, share: 0.45 },
          ],
          fusedScore: 0.75,
          rerankScore: 0.9,
        }
      : undefined,
  };
}

export const summary = {
  nextPageToken: "next",
  milliseconds: { total: 12.5, first_hits: 3 },
  finalStage: Stage.RERANKED,
  degradations: [{ stage: Stage.VECTOR, reason: "HW_RETRIEVER_DOWN", message: "The vector index is down." }],
  candidates: 40,
  queryCached: false,
};

export const citation = {
  source: 1,
  claim: { start: 0, end: 26 },
  evidence: { start: 10, end: 57 },
  passageId: "default/guide/tides.md/1700000000000/0",
  document,
  page: 2,
  quote: text,
  support: 0.92,
};
