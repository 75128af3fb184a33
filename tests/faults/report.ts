import type { FaultReport } from "./run-fault-case.ts";

const begin = "<!-- faults: begin -->";
const end = "<!-- faults: end -->";
const header = [
  "Fault",
  "Runs",
  "Failed",
  "Documents, events a run",
  "Looks of a reader",
  "Away, s: median (max)",
  "Goes on, s after: median (max)",
  "All done, s after: median (max)",
  "Seed, day",
];

/** One row a case. @param day YYYY-MM-DD */
export function toRows(reports: readonly FaultReport[], day: string): string[] {
  return reports.map(({ faultCase, runs, failures, documents, events, looks, seed }) => {
    const times = (of: (run: (typeof runs)[number]) => number) =>
      faultCase.hurt ? seconds(runs.map(of)) : "";
    return toLine([
      `\`${faultCase.name}\`: ${faultCase.fault}`,
      String(runs.length + failures.length),
      String(failures.length),
      `${documents}, ${events}`,
      String(looks),
      times(({ outageMs }) => outageMs),
      times(({ progressMs }) => progressMs),
      times(({ finishedMs }) => finishedMs),
      `${seed}, ${day}`,
    ]);
  });
}

export function toTable(rows: readonly string[]): string {
  return [toLine(header), toLine(header.map(() => "---")), ...rows].join("\n");
}

/**
 * Puts rows in the place of those of the same cases; the others stay.
 *
 * @param order names of all cases
 * @throws Error where the page has no place for a table
 */
export function insertRows(page: string, rows: readonly string[], order: readonly string[]): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the page has no ${begin} … ${end}`);
  const known = page
    .slice(from, to)
    .split("\n")
    .filter((line) => caseOf(line) !== undefined);
  const byCase = new Map([...known, ...rows].map((line) => [caseOf(line), line]));
  const table = toTable(order.flatMap((name) => byCase.get(name) ?? []));
  return `${page.slice(0, from + begin.length)}\n\n${table}\n\n${page.slice(to)}`;
}

function toLine(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function caseOf(line: string): string | undefined {
  return /^\| `([^`]+)`:/.exec(line)?.[1];
}

function seconds(milliseconds: readonly number[]): string {
  if (milliseconds.length === 0) return "";
  const ordered = [...milliseconds].sort((a, b) => a - b);
  const middle = ordered[Math.floor((ordered.length - 1) / 2)] ?? 0;
  const text = (value: number) => (value / 1000).toFixed(1);
  return `${text(middle)} (${text(ordered.at(-1) ?? 0)})`;
}
