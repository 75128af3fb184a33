import type { NewDocument } from "@headwater/client";
import type { HeldDocument } from "./holdings.ts";

/** Where documents come from: a folder, a prefix of a bucket. */
export interface Source {
  /** Its address. It stands on each of its documents, in the attribute `source`. */
  readonly name: string;
  /** What the ids of all of its documents start with. */
  readonly idPrefix: string;
  /** Between two comparisons of all that is there, where nobody says otherwise. */
  readonly intervalSeconds: number;
  /** All that is there now. */
  list(signal: AbortSignal): AsyncIterable<SourceItem>;
  /** Notices changes from now on; undefined where they can only be found by listing. */
  follow?(): Promise<Follower>;
  close(): Promise<void>;
}

/** One thing in a source that is, or could be, a document. */
export interface SourceItem {
  readonly id: string;
  /** Changes with the content, as far as can be told without reading it; empty where it cannot be told. */
  readonly version: string;
  /** Compares with what the service holds. */
  isSame(held: HeldDocument): Promise<boolean>;
  /**
   * @returns undefined where it has gone meanwhile
   * @throws HeadwaterError where it cannot be read
   */
  open(signal: AbortSignal): Promise<NewDocument | undefined>;
}

/** What is to happen to one document. */
export type Change =
  | { readonly kind: "put"; readonly id: string; readonly open: SourceItem["open"] }
  | { readonly kind: "delete"; readonly id: string };

export interface Follower {
  /**
   * Waits for changes; of one document the last.
   *
   * @returns undefined where there was none for so long
   * @throws HeadwaterError where the source is gone
   */
  next(timeoutMs: number, signal: AbortSignal): Promise<Change[] | undefined>;
  close(): Promise<void>;
}
