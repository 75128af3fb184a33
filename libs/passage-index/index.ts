export { embeddingText } from "./embedding-text.ts";
export type { PassageIndexSettingValues, PassageIndexStoreOptions } from "./open-passage-index-store.ts";
export { openPassageIndexStore, passageIndexSettings } from "./open-passage-index-store.ts";
export type {
  DocumentKey,
  DocumentPassages,
  EmbeddedPassage,
  GenerationInfo,
  IndexedDocument,
  IndexFingerprint,
  Passage,
  PassageFilter,
  PassageIndex,
  PassageIndexStore,
  ScoredPassage,
} from "./passage-index.ts";
export { passageId } from "./passage-index.ts";
