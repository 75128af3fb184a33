import type { LogPosition } from "@headwater/document-log";

interface Partition {
  /** In order of offset; those before `head` are dropped from time to time. */
  readonly entries: { readonly offset: number; done: boolean }[];
  readonly byOffset: Map<number, { readonly offset: number; done: boolean }>;
  head: number;
  committed: number;
  /** Entries that are not done. */
  underWay: number;
}

/** Entries that are done before they are dropped: moving the rest costs time in proportion. */
const compactAfter = 1024;

/** Knows which records are done, and so how far each partition may be committed: never past one that is not. */
export class OffsetTracker {
  readonly #partitions = new Map<number, Partition>();

  /** Records that were received and are not yet behind a committable offset. */
  get size(): number {
    let size = 0;
    for (const { byOffset } of this.#partitions.values()) size += byOffset.size;
    return size;
  }

  /** Records that were received and are not done. */
  get underWay(): number {
    let underWay = 0;
    for (const partition of this.#partitions.values()) underWay += partition.underWay;
    return underWay;
  }

  /** In order of offset within a partition. */
  received({ partition, offset }: LogPosition): void {
    let known = this.#partitions.get(partition);
    if (!known) {
      known = { entries: [], byOffset: new Map(), head: 0, committed: offset, underWay: 0 };
      this.#partitions.set(partition, known);
    }
    const entry = { offset, done: false };
    known.entries.push(entry);
    known.byOffset.set(offset, entry);
    known.underWay += 1;
  }

  /** A record of a partition that was dropped is passed over. */
  done({ partition, offset }: LogPosition): void {
    const known = this.#partitions.get(partition);
    const entry = known?.byOffset.get(offset);
    if (!known || !entry || entry.done) return;
    entry.done = true;
    known.underWay -= 1;
  }

  /** The partition went to another consumer. */
  drop(partition: number): void {
    this.#partitions.delete(partition);
  }

  /** Positions to commit since the last call: one for each partition that has moved. */
  take(): LogPosition[] {
    const moved: LogPosition[] = [];
    for (const [partition, known] of this.#partitions) {
      let next = known.committed;
      for (let entry = known.entries[known.head]; entry?.done; entry = known.entries[known.head]) {
        next = entry.offset + 1;
        known.byOffset.delete(entry.offset);
        known.head += 1;
      }
      if (known.head >= compactAfter) {
        known.entries.splice(0, known.head);
        known.head = 0;
      }
      if (next === known.committed) continue;
      known.committed = next;
      moved.push({ partition, offset: next });
    }
    return moved;
  }
}
