import type { HeadwaterProcess } from "@headwater/cli/headwater-process";
import type { Door, MalformedInput } from "./malformed-input.ts";

/** Sends inputs and counts what came of them, by door and outcome. */
export class Tally {
  readonly #outcomes = new Map<Door, Map<string, number>>();
  /** What was answered wrongly, or not at all: the input, and what came. */
  readonly failures: string[] = [];
  total = 0;

  async take(input: MalformedInput, system: HeadwaterProcess): Promise<void> {
    try {
      for (const outcome of await input.send(system)) this.#count(input.door, outcome);
    } catch (thrown) {
      this.#count(input.door, "FAILED");
      this.failures.push(`${input.door}: ${input.name}\n  ${String(thrown)}`);
    }
  }

  #count(door: Door, outcome: string): void {
    const outcomes = this.#outcomes.get(door) ?? new Map<string, number>();
    this.#outcomes.set(door, outcomes);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    this.total += 1;
  }

  /** The counts, a line a door, the most frequent outcome first. */
  lines(): string[] {
    return [...this.#outcomes].map(([door, outcomes]) => {
      const sorted = [...outcomes].sort(([, a], [, b]) => b - a);
      const sum = sorted.reduce((total, [, times]) => total + times, 0);
      return `${door} ${sum}: ${sorted.map(([outcome, times]) => `${times} × ${outcome}`).join("; ")}`;
    });
  }
}
