import type { LoadResult } from "./load-test.ts";
import type { MemoryQuarter } from "./memory-curve.ts";
import type { Latency, PhaseSummary } from "./phase-summary.ts";

/** A result as Markdown. */
export function report(result: LoadResult): string {
  const { calm, steady, overload, after, memory, produced } = result;
  const phases: readonly (readonly [string, PhaseSummary])[] = [
    ["one caller", calm],
    ["steady load", steady],
    [`overload, ${result.overloadPerSecond} searches/s`, overload],
    ["one caller, right after", after],
  ];
  return [
    table(
      ["", "answers/s", "answered p50 / p95 / p99 ms", "refused p50 / p95 / p99 ms", "outcomes"],
      phases.map(([name, phase]) => [
        name,
        phase.answeredPerSecond.toFixed(1),
        latency(phase.answered),
        latency(phase.refused),
        Object.entries(phase.outcomes)
          .map(([outcome, count]) => `${outcome} ${count}`)
          .join(", "),
      ]),
    ),
    table(
      ["memory, MB (min / median / max)", "1st quarter", "2nd", "3rd", "4th"],
      [
        ["steady load", ...memory.steady.map(megabytes)],
        ["overload", ...memory.overload.map(megabytes)],
      ],
    ),
    `Answered p95 in overload against steady load: ${(overload.answered.p95 / steady.answered.p95).toFixed(2)}`,
    `Recovery after the overload: ${recovery(result.recoverySeconds)}`,
    `Documents pushed meanwhile: ${produced.steady} in steady load, ${produced.overload} in overload`,
    `The generator was late with a search by ${overload.latenessMs.toFixed(1)} ms (p95)`,
  ].join("\n\n");
}

function recovery(seconds: number | undefined): string {
  return seconds === undefined ? "not while it was watched" : `within ${seconds + 1} s`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function latency({ p50, p95, p99 }: Latency): string {
  return Number.isNaN(p50) ? "" : [p50, p95, p99].map((value) => value.toFixed(0)).join(" / ");
}

function megabytes({ min, median, max }: MemoryQuarter): string {
  return [min, median, max].map((value) => value.toFixed(0)).join(" / ");
}
