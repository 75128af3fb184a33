import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import type { Hit, SearchRequest, SearchResponseSchema } from "@headwater/proto/connect/headwater/v1/search";
import { HitSchema, Stage } from "@headwater/proto/connect/headwater/v1/search";
import type { DocumentStoreDouble, StoredPassage } from "./document-store-double.ts";
import { metadataMessage } from "./document-store-double.ts";

export type SearchMessage = MessageInitShape<typeof SearchResponseSchema>;
type HitInit = MessageInitShape<typeof HitSchema>;

const lexicalWeight = 0.4;

/** What each stage of the double's search answers; the orders differ, so that the page has something to move. */
export interface StagedSearch {
  readonly lexical: Hit[];
  readonly vector: Hit[];
  readonly fused: Hit[];
  readonly reranked: Hit[];
}

/** Scores by words: a stand-in for BM25, and with the ends of words cut off for a vector index. */
export function stagedSearch(store: DocumentStoreDouble, request: SearchRequest): StagedSearch {
  const words = wordsOf(request.query);
  const stems = words.map(stem);
  const types = request.filter?.mediaTypes ?? [];
  const passages = store
    .passages()
    .filter(({ document }) => types.length === 0 || types.includes(document.mediaType))
    .filter(({ document }) =>
      (request.filter?.attributes ?? []).every(({ key, values }) =>
        values.includes(document.attributes?.[key] ?? ""),
      ),
    )
    .map((passage) => {
      const lower = passage.text.toLowerCase();
      const lexical = words.filter((word) => new RegExp(`\\b${word}\\b`).test(lower)).length;
      const vector = stems.filter((word) => lower.includes(word)).length / Math.sqrt(1 + lower.length / 800);
      return { passage, lexical: lexical * 3.1 + lower.length / 5000, vector: 0.4 + vector / 12 };
    })
    .filter(({ lexical, vector }) => lexical > 3 || vector > 0.45);
  const byLexical = [...passages].sort((a, b) => b.lexical - a.lexical);
  const byVector = [...passages].sort((a, b) => b.vector - a.vector);
  const highest = { lexical: byLexical[0]?.lexical ?? 1, vector: byVector[0]?.vector ?? 1 };
  const scored = passages.map((entry) => {
    const shares = {
      lexical: (lexicalWeight * entry.lexical) / highest.lexical,
      vector: ((1 - lexicalWeight) * entry.vector) / highest.vector,
    };
    const heading = entry.passage.headings.join(" ").toLowerCase();
    const bonus = stems.filter((word) => heading.includes(word)).length * 0.06;
    return {
      ...entry,
      shares,
      fused: shares.lexical + shares.vector,
      reranked: 0.5 + entry.vector / 3 + bonus,
    };
  });
  type Scored = (typeof scored)[number];
  const byFused = [...scored].sort((a, b) => b.fused - a.fused);
  const byReranked = [...scored].sort((a, b) => b.reranked - a.reranked);
  const first = request.pageToken === "" ? 0 : Number(request.pageToken);
  const size = request.pageSize || 10;
  const stage = (list: Scored[], score: (entry: Scored) => number, reranked: boolean) =>
    list.slice(first, first + size).map((entry, index) =>
      hitOf(entry.passage, request.highlight ? words : [], {
        score: score(entry),
        rank: first + index + 1,
        explanation: {
          lists: [
            {
              stage: Stage.LEXICAL,
              rank: byLexical.findIndex(({ passage }) => passage === entry.passage) + 1,
              score: entry.lexical,
              weight: lexicalWeight,
              share: entry.shares.lexical,
            },
            {
              stage: Stage.VECTOR,
              rank: byVector.findIndex(({ passage }) => passage === entry.passage) + 1,
              score: entry.vector,
              weight: 1 - lexicalWeight,
              share: entry.shares.vector,
            },
          ],
          fusedScore: entry.fused,
          ...(reranked ? { rerankScore: entry.reranked } : {}),
        },
      }),
    );
  const bySharedOrder = (list: typeof passages) =>
    list.flatMap(({ passage }) => scored.find((entry) => entry.passage === passage) ?? []);
  return {
    lexical: stage(bySharedOrder(byLexical), (entry) => entry.lexical, false),
    vector: stage(bySharedOrder(byVector), (entry) => entry.vector, false),
    fused: stage(byFused, (entry) => entry.fused, false),
    reranked: stage(byReranked, (entry) => entry.reranked, true),
  };
}

export function hitOf(passage: StoredPassage, words: readonly string[], rest: Partial<HitInit> = {}): Hit {
  return create(HitSchema, {
    passageId: `default/${passage.document.id}/${passage.document.version}/${passage.start}`,
    document: metadataMessage(passage.document),
    text: passage.text,
    location: {
      range: { start: passage.start, end: passage.end },
      headingPath: [...passage.headings],
      page: passage.document.mediaType === "application/pdf" ? 1 + Math.floor(passage.start / 2500) : 0,
    },
    highlights: words.flatMap((word) =>
      [...passage.text.matchAll(new RegExp(`\\b${word}\\w*`, "gi"))].map(({ index, 0: text }) => ({
        start: index,
        end: index + text.length,
      })),
    ),
    ...rest,
  } as HitInit);
}

const stopWords = new Set(
  "a an and are as at by do does for from how in is it of on or that the to was what when where which who why with".split(
    " ",
  ),
);

export function wordsOf(text: string): string[] {
  return (text.toLowerCase().match(/[a-z0-9]{2,}/g) ?? []).filter((word) => !stopWords.has(word));
}

function stem(word: string): string {
  return word.length > 5 ? word.slice(0, -2) : word;
}
