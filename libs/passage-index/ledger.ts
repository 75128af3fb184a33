import type { DocumentRevision } from "./engine.ts";
import type { DocumentKey } from "./passage-index.ts";

/** What the ledger says of one document. */
export interface LedgerEntry extends DocumentRevision {
  /** The revision that readers see; 0: there never was one. */
  readonly revision: number;
  /** Of that revision. */
  readonly version: number;
  /** Of that revision; 0: the document is removed. */
  readonly passages: number;
  /** Revisions up to this one were given up by housekeeping, and can be named no more. */
  readonly fence: number;
  /** Who wrote the entry: unique, so that a writer whose answer got lost finds its own work. */
  readonly attempt: string;
  /** Unix milliseconds. */
  readonly changedAt: number;
}

/** A place in the order in which one tenant's entries were written. */
export interface LedgerPosition {
  /** Grows when another copy of the ledger takes over. */
  readonly term: number;
  /** Grows with each write within a term. */
  readonly sequence: number;
}

export interface LedgerRecord {
  readonly entry: LedgerEntry;
  readonly position: LedgerPosition;
}

export interface LedgerChange {
  readonly entry: LedgerEntry;
  /** What has to be there for the change to be made; undefined: nothing. */
  readonly instead: LedgerRecord | undefined;
}

/**
 * Says of each document of a generation which revision readers see: one entry a document, changed in one step. It is
 * what makes one index of two engines. Methods throw HeadwaterError.
 */
export interface Ledger {
  /** What is there now, in the order asked for; undefined: nothing is known of the document. */
  read(documents: readonly DocumentKey[], signal?: AbortSignal): Promise<(LedgerRecord | undefined)[]>;
  /** Durable on return. False, in the order given: something else is there, and the entry stayed as it was. */
  write(changes: readonly LedgerChange[]): Promise<boolean[]>;
  /** Takes entries out, where they are still as they were read. */
  forget(records: readonly LedgerRecord[]): Promise<void>;
  /** All entries, or those of one tenant, in no order. */
  list(tenant?: string): AsyncIterable<LedgerRecord>;
  /** Passages that readers see. */
  count(): Promise<number>;
}

/** @param position undefined: before everything */
export function isAfter(one: LedgerPosition, position: LedgerPosition | undefined): boolean {
  if (!position) return true;
  return one.term > position.term || (one.term === position.term && one.sequence > position.sequence);
}
