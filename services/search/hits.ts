import type { Passage } from "@headwater/passage-index";
import type { Hit, ListShare } from "@headwater/proto/services/headwater/v1/search";
import { Stage } from "@headwater/proto/services/headwater/v1/search";
import type { FusedPassage } from "./fusion.ts";
import type { Highlighter } from "./highlights.ts";

/** A passage to send, as any stage has it. */
export interface StagedPassage {
  readonly passage: Passage;
  readonly score: number;
  /** Only once the lists are fused. */
  readonly fused?: FusedPassage | undefined;
  readonly rerankScore?: number | undefined;
}

export interface HitOptions {
  /** From 0, over all pages. */
  readonly offset: number;
  readonly explain: boolean;
  /** Undefined: no highlights. */
  readonly highlighter: Highlighter | undefined;
}

export function toHits(staged: readonly StagedPassage[], options: HitOptions): Hit[] {
  return staged.map(({ passage, score, fused, rerankScore }, at) => ({
    passageId: passage.id,
    document: {
      id: passage.documentId,
      version: passage.version,
      title: passage.title,
      uri: passage.uri,
      mediaType: passage.mediaType,
      attributes: { ...passage.attributes },
      observedTime: new Date(passage.observedAt),
    },
    text: passage.text,
    location: {
      range: { start: passage.start, end: passage.end },
      page: passage.page,
      headingPath: [...passage.headingPath],
    },
    score,
    rank: options.offset + at + 1,
    highlights: options.highlighter?.find(passage.text) ?? [],
    explanation:
      options.explain && fused
        ? { lists: fused.shares.map(toListShare), fusedScore: fused.score, rerankScore }
        : undefined,
  }));
}

function toListShare(share: FusedPassage["shares"][number]): ListShare {
  const { list, rank, score, weight } = share;
  return {
    stage: list === "lexical" ? Stage.LEXICAL : Stage.VECTOR,
    rank,
    score,
    weight,
    share: share.share,
  };
}

/** The first passage of each document, in order. */
export function bestOfEachDocument<T extends { readonly passage: Passage }>(passages: readonly T[]): T[] {
  const seen = new Set<string>();
  return passages.filter(({ passage }) => {
    if (seen.has(passage.documentId)) return false;
    seen.add(passage.documentId);
    return true;
  });
}
