export type { BeirCollection, BeirDocument, BeirQuery } from "./beir.ts";
export { openBeirCollection } from "./beir.ts";
export type { Judgements } from "./measures.ts";
export { ndcg, recall, reciprocalRank } from "./measures.ts";
export type { MeanMeasures } from "./summary.ts";
export { summarize } from "./summary.ts";
