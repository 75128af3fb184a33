/** What to make of a call, given those before it. */
export type Repetition = "new" | "repeated" | "loop";

/** Notices an agent that goes in a circle. */
export interface RepetitionGuard {
  /** Asked before a call is run. "repeated": to be told to the model in place of a result; "loop": it was told before. */
  judge(call: string): Repetition;
  /** What came of a call that was run. */
  record(call: string, result: string): void;
}

/** Times that a call may bring the same result. */
const mostEqual = 2;

/**
 * A call is a repetition where it was made twice with the same result, or where two calls take turns (a b a, and now b).
 * Calls that bring something new each time, as when a job is watched, are none.
 *
 * Calls are compared as the text that `callKey` makes of them.
 */
export function createRepetitionGuard(): RepetitionGuard {
  const made: string[] = [];
  const results = new Map<string, { text: string; times: number }>();
  let told = false;
  const takeTurns = (call: string): boolean => {
    const [a, b, c] = made.slice(-3);
    return a !== undefined && a === c && b === call && b !== a && [a, b].every((one) => unchanged(one));
  };
  const unchanged = (call: string): boolean => {
    const times = results.get(call)?.times ?? 0;
    const count = made.filter((one) => one === call).length;
    return times === count;
  };
  return {
    judge(call) {
      const again = (results.get(call)?.times ?? 0) >= mostEqual || takeTurns(call);
      if (!again) return "new";
      if (told) return "loop";
      told = true;
      return "repeated";
    },
    record(call, result) {
      made.push(call);
      const before = results.get(call);
      results.set(call, { text: result, times: before?.text === result ? before.times + 1 : 1 });
    },
  };
}

/** A call as text that is the same for the same arguments, in whatever order they were written. */
export function callKey(tool: string, input: unknown): string {
  return `${tool} ${JSON.stringify(input, (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  )}`;
}
