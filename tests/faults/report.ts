import type { FaultReport } from "./run-fault-case.ts";

const begin = "<!-- faults: begin -->";
const end = "<!-- faults: end -->";

/** @param command that makes the table again */
export function toMarkdown(
  reports: readonly FaultReport[],
  command: string,
  left: readonly string[],
): string {
  const header = [
    "Fault",
    "Runs",
    "Failed",
    "Events a run",
    "Looks of a reader",
    "Away, s: median (max)",
    "Goes on, s after: median (max)",
    "All done, s after: median (max)",
  ];
  const rows = reports.map(({ faultCase, runs, failures, events, looks }) => [
    `\`${faultCase.name}\`: ${faultCase.fault}`,
    String(runs.length + failures.length),
    String(failures.length),
    String(events),
    String(looks),
    ...(faultCase.hurt
      ? [
          seconds(runs.map(({ outageMs }) => outageMs)),
          seconds(runs.map(({ progressMs }) => progressMs)),
          seconds(runs.map(({ finishedMs }) => finishedMs)),
        ]
      : ["", "", ""]),
  ]);
  const table = [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  const missing = left.length > 0 ? ["", `Left out: ${left.join(", ")}.`] : [];
  return [...table, ...missing, "", command].join("\n");
}

/** Puts a table in the place of the one before. @throws Error where the page has no place for one */
export function insertTable(page: string, table: string): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the page has no ${begin} … ${end}`);
  return `${page.slice(0, from + begin.length)}\n\n${table}\n\n${page.slice(to)}`;
}

function seconds(milliseconds: readonly number[]): string {
  if (milliseconds.length === 0) return "";
  const ordered = [...milliseconds].sort((a, b) => a - b);
  const middle = ordered[Math.floor((ordered.length - 1) / 2)] ?? 0;
  const text = (value: number) => (value / 1000).toFixed(1);
  return `${text(middle)} (${text(ordered.at(-1) ?? 0)})`;
}
