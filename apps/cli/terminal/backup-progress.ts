import type { Progress } from "../backup/progress.ts";
import type { Output } from "./output.ts";

const steps: Readonly<Record<Progress["step"], string>> = {
  verify: "comparing with the sums that were noted",
  records: "records",
  originals: "originals",
  log: "the place in the log",
  queue: "the queue of jobs",
  indexes: "indexes",
};

/** Milliseconds between two lines where nobody watches a terminal, as in the log of a Job. */
const everyMs = 10_000;

/** Shows how far a backup or a restore is: in place on a terminal, else now and then and at each step. */
export function progressLine(output: Output) {
  let last: { readonly step: string; readonly at: number } | undefined;
  return {
    show({ step, done, total }: Progress): void {
      const text = `${steps[step]}${total > 0 ? ` ${done}/${total}` : ""}`;
      if (output.interactive) process.stderr.write(`\r\u001b[K${text} …`);
      else if (last?.step !== step || performance.now() - last.at > everyMs) {
        last = { step, at: performance.now() };
        output.note(text);
      }
    },
    clear(): void {
      if (output.interactive) process.stderr.write("\r\u001b[K");
    },
  };
}

/** @returns what tells of things that went wrong in the background */
export function backgroundNotes(output: Output): (thrown: unknown) => void {
  return (thrown) => output.note(`tried again: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
}
