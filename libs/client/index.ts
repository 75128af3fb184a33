export { Code } from "@connectrpc/connect";
export type { Agent, AgentLimits, Agents, AgentTool, NewAgent, Tool, UpdateAgentOptions } from "./agents.ts";
export type {
  AnswerEvent,
  AnswerOptions,
  CitationEvent,
  EndEvent,
  EndReason,
  Model,
  PassagesEvent,
  PromptReference,
  TextEvent,
  Usage,
} from "./answer.ts";
export { endReasons } from "./answer.ts";
export type { CallOptions, ListPageOptions } from "./call.ts";
export type { ChatOptions, HistoryMessage, ResumeOptions, Turns } from "./chat.ts";
export type {
  ApprovalEvent,
  ChatEvent,
  RecalledEvent,
  RememberedEvent,
  StartedEvent,
  ThoughtEvent,
  ToolCall,
  ToolCallEvent,
  ToolResult,
  ToolResultEvent,
  TurnEnd,
  TurnEndEvent,
  TurnEndReason,
  TurnError,
} from "./chat-event.ts";
export { turnEndReasons } from "./chat-event.ts";
export type { HeadwaterClient, HeadwaterClientOptions } from "./client.ts";
export { createHeadwaterClient } from "./client.ts";
export type {
  Conversation,
  Conversations,
  CreateConversationOptions,
  ForkOptions,
  Message,
  MessagePage,
  MessageRole,
  ToolStep,
} from "./conversations.ts";
export { messageRoles } from "./conversations.ts";
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
  Feedback,
  FeedbackBook,
  FeedbackLine,
  ListFeedbackOptions,
  NewFeedback,
  Rating,
} from "./feedback.ts";
export { ratings } from "./feedback.ts";
export type {
  Job,
  JobError,
  JobState,
  Jobs,
  ListJobsOptions,
  Schedule,
  Schedules,
  SubmitJobOptions,
} from "./jobs.ts";
export { jobStates } from "./jobs.ts";
export type { Memories, Memory, MemoryAction, MemoryDecision, SearchMemoriesOptions } from "./memories.ts";
export { memoryActions } from "./memories.ts";
export type {
  DeadLetter,
  DeadLetterDetails,
  DeadLetters,
  PageOptions,
  PartitionLag,
  Pipeline,
} from "./pipeline.ts";
export type {
  CreatePromptVersionOptions,
  Prompt,
  PromptLabel,
  PromptShare,
  Prompts,
  PromptVariable,
  PromptVersion,
} from "./prompts.ts";
export type { NewDocument, Receipt } from "./push.ts";
export type { ReconnectOptions } from "./reconnect.ts";
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
