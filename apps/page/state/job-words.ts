import type { Job, JobState } from "@headwater/client";
import { count, counted } from "./format.ts";

export const jobStateNames: Readonly<Record<JobState, string>> = {
  queued: "Waiting",
  active: "Running",
  completed: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
};

export const jobKindNames: Readonly<Record<string, string>> = {
  chat: "A question",
  index: "Take documents in",
  reindex: "Make all passages anew",
  evaluate: "Measure retrieval",
};

/** True until the job has come to an end. */
export function isUnderWay({ state }: Job): boolean {
  return state === "queued" || state === "active";
}

/** "3 of 12, fetching", as far as either is known. */
export function progressOf({ progress: { done, total, note } }: Job): string {
  const steps = total > 0 ? `${count(done)} of ${count(total)}` : done > 0 ? count(done) : "";
  return [steps, note].filter(Boolean).join(", ");
}

/** What came of a job, in a few words; its output whole is shown beside. */
export function outcomeOf({ kind, output }: Job): string {
  if (!output) return "";
  const figure = (name: string) => {
    const value = output[name];
    return typeof value === "number" ? value : 0;
  };
  const failed = figure("failed") > 0 ? `, ${count(figure("failed"))} failed` : "";
  if (kind === "index") return `${counted(figure("indexed"), "document")} indexed${failed}`;
  if (kind === "reindex") return `${counted(figure("documents"), "document")} made anew${failed}`;
  const { answer } = output;
  return kind === "chat" && typeof answer === "string" ? answer : "";
}

/** Documents of an index job, from addresses of one a line. */
export function documentsAt(addresses: string): { url: string }[] {
  return addresses
    .split(/\s+/)
    .filter((address) => address !== "")
    .map((url) => ({ url }));
}
