export type { Range } from "./graphemes.ts";
export { clampToGraphemes, graphemeFloor } from "./graphemes.ts";
export type { Sentence } from "./sentences.ts";
export { sentences } from "./sentences.ts";
export { estimateTokens } from "./tokens.ts";
export type { Word } from "./words.ts";
export { contentStems, isStopWord, normalize, stem, words } from "./words.ts";
