export { Code } from "@connectrpc/connect";
export type {
  AnswerEvent,
  AnswerOptions,
  CitationEvent,
  EndEvent,
  EndReason,
  Model,
  PassagesEvent,
  TextEvent,
} from "./answer.ts";
export { endReasons } from "./answer.ts";
export type { CallOptions } from "./call.ts";
export type { HeadwaterClient, HeadwaterClientOptions } from "./client.ts";
export { createHeadwaterClient } from "./client.ts";
export type { CreatedUpload } from "./created-upload.ts";
export type { Document, DocumentMetadata, DocumentState, Failure, TextRange } from "./document.ts";
export { documentStates } from "./document.ts";
export type {
  CreateUploadOptions,
  Documents,
  DocumentText,
  ListOptions,
  OriginalOptions,
  OriginalPiece,
  TextOptions,
  WatchOptions,
} from "./documents.ts";
export { HeadwaterClientError } from "./error.ts";
export type {
  DeadLetter,
  DeadLetterDetails,
  DeadLetters,
  PageOptions,
  PartitionLag,
  Pipeline,
} from "./pipeline.ts";
export type { NewDocument, Receipt } from "./push.ts";
export type {
  Degradation,
  Explanation,
  Filter,
  FusionMethodName,
  Hit,
  HitsEvent,
  ListShare,
  SearchEvent,
  SearchOptions,
  SearchSummary,
  Stage,
  SummaryEvent,
} from "./search.ts";
export { fusionMethods, stages } from "./search.ts";
export type {
  Discrepancy,
  IndexGeneration,
  ReconcileFinding,
  ReconcileOptions,
  ReconcileProgress,
  ReindexOptions,
  ReindexProgress,
  ReindexState,
  ReindexStatus,
} from "./upkeep.ts";
export { discrepancies, reindexStates } from "./upkeep.ts";
export type { UploadFile, UploadOptions, UploadProgress } from "./upload.ts";
