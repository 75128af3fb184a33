import type { PartitionLag, Receipt } from "@headwater/client";
import { SingleBar } from "cli-progress";
import type { Output } from "./output.ts";
import { red } from "./output.ts";

/** A document, or a line, that was not taken or could not be indexed. */
export interface Problem {
  readonly id: string;
  readonly reason: string;
  readonly message: string;
}

/** How many problems are written out for a person; the rest is counted by reason. */
const shownProblems = 10;

/**
 * Counts what an ingest has pushed, what the log has acknowledged and what the consumer has gone past, and shows it as
 * a bar. A document is done when its partition is committed beyond its offset.
 */
export class IngestProgress {
  readonly #output: Output;
  readonly #bar: SingleBar | undefined;
  readonly #wait: boolean;
  readonly #started = performance.now();
  /** Offsets that are not yet committed, ascending, by partition. */
  readonly #pending = new Map<number, number[]>();
  readonly #versions = new Map<string, number>();
  readonly #problems: Problem[] = [];
  #expected: number;
  #pushed = 0;
  #received = 0;
  #done = 0;
  #allReceived = false;

  /** @param expected documents that are known to come; collections add theirs as they are read */
  constructor(output: Output, expected: number, wait: boolean) {
    this.#output = output;
    this.#expected = expected;
    this.#wait = wait;
    if (output.interactive) {
      this.#bar = new SingleBar({
        format: `${wait ? "indexed" : "received"} {value}/{total} |{bar}| {rate} documents/s`,
        stream: process.stderr,
        barsize: 30,
        hideCursor: true,
        clearOnComplete: true,
        stopOnComplete: false,
      });
      this.#bar.start(expected, 0, { rate: "–" });
    }
  }

  get problems(): number {
    return this.#problems.length;
  }

  /** True once every document that was received is done. */
  get settled(): boolean {
    return this.#allReceived && this.#pending.size === 0;
  }

  /** A file turned out to be a collection: its documents count, not the file. */
  collection(): void {
    this.#expected = Math.max(0, this.#expected - 1);
  }

  pushed(): void {
    this.#pushed += 1;
    this.#expected = Math.max(this.#expected, this.#pushed);
  }

  received(receipt: Receipt): void {
    this.#received += 1;
    if (this.#output.json) this.#output.value({ type: "receipt", ...receipt });
    if (receipt.error) {
      this.problem({ id: receipt.id, ...receipt.error });
      this.#done += 1;
    } else if (this.#wait) {
      const offsets = this.#pending.get(receipt.partition);
      if (offsets) offsets.push(receipt.offset);
      else this.#pending.set(receipt.partition, [receipt.offset]);
      this.#versions.set(receipt.id, receipt.version);
    } else this.#done += 1;
    this.#draw();
  }

  allReceived(): void {
    this.#allReceived = true;
    this.#expected = this.#received;
    this.#draw();
  }

  committed(partitions: readonly PartitionLag[]): void {
    for (const { partition, committedOffset } of partitions) {
      const offsets = this.#pending.get(partition);
      if (!offsets) continue;
      const still = offsets.findIndex((offset) => offset >= committedOffset);
      const done = still === -1 ? offsets.length : still;
      this.#done += done;
      if (still === -1) this.#pending.delete(partition);
      else this.#pending.set(partition, offsets.slice(done));
    }
    this.#draw();
  }

  /** True where the newest version that this command pushed is the one that is meant. */
  isOurs(id: string, version: number): boolean {
    return this.#versions.get(id) === version;
  }

  problem(problem: Problem): void {
    this.#problems.push(problem);
    if (this.#output.json) this.#output.value({ type: "problem", ...problem });
  }

  /** Gives the terminal back; to be called whatever happens. */
  stop(): void {
    this.#bar?.stop();
  }

  /** Prints what came of it. */
  summarize(): void {
    this.stop();
    const seconds = (performance.now() - this.#started) / 1000;
    const summary = {
      type: "summary",
      received: this.#received,
      done: this.#done,
      problems: this.#problems.length,
      seconds: Math.round(seconds * 100) / 100,
      documents_per_second: Math.round(this.#done / seconds),
    };
    if (this.#output.json) {
      this.#output.value(summary);
      return;
    }
    for (const { id, message, reason } of this.#problems.slice(0, shownProblems)) {
      this.#output.line(`${red("✗")} ${id}: ${message} [${reason}]`);
    }
    if (this.#problems.length > shownProblems) {
      for (const [reason, of] of Map.groupBy(this.#problems, (problem) => problem.reason)) {
        this.#output.line(`  ${of.length} × ${reason}`);
      }
    }
    const verb = this.#wait ? "processed" : "received";
    const failed = this.#problems.length > 0 ? `, ${this.#problems.length} failed` : "";
    this.#output.line(
      `${this.#done} documents ${verb} in ${seconds.toFixed(1)} s (${summary.documents_per_second}/s)${failed}`,
    );
  }

  #draw(): void {
    if (!this.#bar) return;
    const seconds = (performance.now() - this.#started) / 1000;
    this.#bar.setTotal(this.#expected);
    this.#bar.update(this.#done, { rate: (this.#done / seconds).toFixed(0) });
  }
}
