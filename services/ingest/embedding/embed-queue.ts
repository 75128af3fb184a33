import type { EmbedTask, Span } from "./embed-task.ts";
import { largeTask } from "./embed-task.ts";

/** Decides which texts go into the next request. */
export class EmbedQueue {
  readonly #batch: number;
  readonly #small: EmbedTask[] = [];
  readonly #large: EmbedTask[] = [];
  /** Sent before and never answered; they go first. */
  #again: Span[] = [];
  /** Were in a request that failed for good; each goes alone, to find out which one is at fault. */
  #suspects: Span[] = [];
  #largeIsNext = false;

  constructor(batch: number) {
    this.#batch = batch;
  }

  add(task: EmbedTask): void {
    (task.source.length > largeTask ? this.#large : this.#small).push(task);
  }

  sendAgain(spans: readonly Span[]): void {
    this.#again = [...spans, ...this.#again];
  }

  sendAlone(spans: readonly Span[]): void {
    this.#suspects = [...spans, ...this.#suspects];
  }

  /**
   * The spans of the next request.
   *
   * @param unanswered requests under way; while there are some, a request that is not full waits for more texts
   * @returns empty where nothing should be sent now
   */
  next(unanswered: number): Span[] {
    this.#suspects = this.#suspects.filter(({ task }) => !task.over);
    if (this.#suspects.length > 0) return unanswered === 0 ? this.#suspects.splice(0, 1) : [];
    this.#again = this.#again.filter(({ task }) => !task.over);
    this.#dropEmpty(this.#small);
    this.#dropEmpty(this.#large);
    // With two requests under way the worker has work until one of them comes back and asks here again.
    if (unanswered >= 2 && !this.#fillsBatch()) return [];
    return this.#collect();
  }

  #collect(): Span[] {
    const spans: Span[] = [];
    let room = this.#batch;
    for (let first = this.#again[0]; first && first.to - first.from <= room; first = this.#again[0]) {
      this.#again.shift();
      spans.push(first);
      room -= first.to - first.from;
    }
    // In turns, a request each: a large document is neither in the way nor starved.
    const lanes = this.#largeIsNext ? [this.#large, this.#small] : [this.#small, this.#large];
    this.#largeIsNext = !this.#largeIsNext;
    for (const lane of lanes) {
      for (let task = lane[0]; task && room > 0; task = lane[0]) {
        const span = task.take(room);
        room -= span.to - span.from;
        spans.push(span);
        if (task.unsent === 0) lane.shift();
      }
    }
    return spans;
  }

  #fillsBatch(): boolean {
    let texts = 0;
    for (const { from, to } of this.#again) texts += to - from;
    for (const lane of [this.#small, this.#large]) {
      for (const task of lane) {
        texts += task.unsent;
        if (texts >= this.#batch) return true;
      }
    }
    return texts >= this.#batch;
  }

  #dropEmpty(lane: EmbedTask[]): void {
    while (lane[0]?.unsent === 0) lane.shift();
    if (lane.some((task) => task.over)) lane.splice(0, lane.length, ...lane.filter((task) => !task.over));
  }
}
