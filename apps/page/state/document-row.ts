import type { Document, DocumentState, Failure } from "@headwater/client";
import type { DocumentGroup } from "./route.ts";

/** How far a document has come, from the moment it was dropped on the page. */
export type RowState = "waiting" | "sending" | "refused" | DocumentState;

/** A line of the document list. */
export interface DocumentRow {
  readonly id: string;
  readonly title: string;
  readonly mediaType: string;
  readonly bytes: number;
  /** 0 until the server has given it one. */
  readonly version: number;
  readonly state: RowState;
  /** Share of its bytes that have left, 0 to 1. */
  readonly sent: number;
  readonly passages: number;
  readonly updated: Date | undefined;
  /** Why it failed or was refused, or why it still waits. */
  readonly failure: Failure | undefined;
}

export function rowOf(document: Document): DocumentRow {
  const { id, title, mediaType, version, state, passages, failure } = document;
  return {
    id,
    title,
    mediaType,
    bytes: document.sizeBytes,
    version,
    state,
    sent: 1,
    passages,
    updated: document.updatedTime,
    failure,
  };
}

/** What the server says of a document, in the row that the page has of it. News of an older version is no news. */
export function withDocument(row: DocumentRow | undefined, document: Document): DocumentRow {
  if (!row) return rowOf(document);
  // A document that is about to be sent again is not "indexed" because its last version was.
  if (document.version < row.version || row.state === "waiting" || row.state === "sending") return row;
  return {
    ...rowOf(document),
    title: document.title || row.title,
    mediaType: document.mediaType || row.mediaType,
  };
}

/** The steps that a row shows as done, under way, or to come. */
export const steps = ["sent", "queued", "parsed", "embedded", "indexed"] as const;

/** How many of the steps lie behind a document in this state. */
export function stepsDone(state: RowState): number {
  switch (state) {
    case "waiting":
    case "sending":
    case "refused":
      return 0;
    case "queued":
      return 1;
    case "parsing":
      return 2;
    case "embedding":
      return 3;
    case "failed":
      return 2;
    case "indexed":
      return 5;
    case "deleted":
      return 0;
  }
}

const labels: Readonly<Record<RowState, string>> = {
  waiting: "Waiting",
  sending: "Sending",
  refused: "Refused",
  queued: "Queued",
  parsing: "Parsing",
  embedding: "Embedding",
  indexed: "Indexed",
  failed: "Failed",
  deleted: "Deleted",
};

export function stateLabel(row: DocumentRow): string {
  if (row.state === "sending" && row.sent > 0 && row.sent < 1)
    return `Sending ${Math.floor(row.sent * 100)} %`;
  return labels[row.state];
}

export function isSettled(state: RowState): boolean {
  return state === "indexed" || state === "failed" || state === "refused" || state === "deleted";
}

export function isIn(group: DocumentGroup, state: RowState): boolean {
  switch (group) {
    case "all":
      return state !== "deleted";
    case "active":
      return !isSettled(state);
    case "indexed":
      return state === "indexed";
    case "failed":
      return state === "failed" || state === "refused";
  }
}

/** States to ask the server for. */
export function statesOf(group: DocumentGroup): DocumentState[] {
  if (group === "active") return ["queued", "parsing", "embedding"];
  return group === "all" ? [] : [group];
}
