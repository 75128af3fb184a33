import type { ScoredPassage } from "@headwater/passage-index";
import type { RetrievedLists } from "./fusion.ts";

/**
 * Leaves out passages of a document's version that the other list shows to be replaced. The engines are asked at the
 * same time and not in one step: of a document that changes in between, one list may hold the old version and the
 * other the new, and a reader must not be shown half of each.
 */
export function keepLatestVersions(lists: RetrievedLists): RetrievedLists {
  const latest = new Map<string, number>();
  for (const { passage } of [...(lists.lexical ?? []), ...(lists.vector ?? [])])
    latest.set(passage.documentId, Math.max(passage.version, latest.get(passage.documentId) ?? 0));
  const isLatest = ({ passage }: ScoredPassage) => passage.version === latest.get(passage.documentId);
  return {
    ...lists,
    lexical: lists.lexical?.filter(isLatest),
    vector: lists.vector?.filter(isLatest),
  };
}
