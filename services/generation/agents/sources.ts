import type { Hit } from "@headwater/proto/services/headwater/v1/search";
import type { CitedSource } from "../answer/citations.ts";

/** What tools have found in a turn, numbered from 1 over all its steps. */
export interface TurnSources {
  readonly all: readonly CitedSource[];
  /** Where they lie. */
  readonly addresses: readonly string[];
  /**
   * @param onNew told of those that were not known before
   * @returns one number for each hit; the same passage has the same number
   */
  number(hits: readonly Hit[], onNew: (hits: readonly Hit[]) => void): number[];
}

export function createTurnSources(): TurnSources {
  const all: CitedSource[] = [];
  const byPassage = new Map<string, number>();
  return {
    all,
    get addresses() {
      return all.flatMap(({ hit }) => (hit.document?.uri ? [hit.document.uri] : []));
    },
    number(hits, onNew) {
      const fresh: Hit[] = [];
      const numbers = hits.map((hit) => {
        const known = byPassage.get(hit.passageId);
        if (known !== undefined) return known;
        const number = all.length + 1;
        byPassage.set(hit.passageId, number);
        all.push({ source: { number, title: hit.document?.title ?? "", text: hit.text }, hit });
        fresh.push(hit);
        return number;
      });
      if (fresh.length > 0) onNew(fresh);
      return numbers;
    },
  };
}
