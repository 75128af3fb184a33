/** What the extractive model goes by, for those who calibrate it. */
export type { CandidateSentence } from "./candidate-sentences.ts";
export { candidateSentences, withTitle } from "./candidate-sentences.ts";
export type { Evidence, SentenceScores } from "./support.ts";
export { gatherEvidence, oddsOf } from "./support.ts";
