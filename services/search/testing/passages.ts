import type { Passage, ScoredPassage } from "@headwater/passage-index";

export function passage(id: string, text = id): Passage {
  return {
    id,
    tenant: "default",
    documentId: id.split("/")[0] ?? id,
    version: 1,
    ordinal: 0,
    text,
    title: "",
    uri: "",
    mediaType: "text/plain",
    attributes: {},
    observedAt: 0,
    start: 0,
    end: text.length,
    page: 0,
    headingPath: [],
  };
}

/** A list of hits from pairs of id and score. */
export function list(...hits: readonly (readonly [id: string, score: number, vector?: readonly number[]])[]) {
  return hits.map(
    ([id, score, vector]): ScoredPassage => ({
      passage: passage(id),
      score,
      ...(vector ? { vector: Float32Array.from(vector) } : {}),
    }),
  );
}
