import type { Query } from "./panel.ts";
import { rateWindow, scope } from "./panel.ts";

/** A selector of one metric within the release. @param matchers such as `outcome="failed"` */
export function metric(name: string, ...matchers: readonly string[]): string {
  return `${name}{${[scope, ...matchers].join(",")}}`;
}

/** Of a counter, a second. */
export function rate(name: string, ...matchers: readonly string[]): string {
  return `rate(${metric(name, ...matchers)}[${rateWindow}])`;
}

export function sumBy(labels: readonly string[], expression: string): string {
  return labels.length === 0 ? `sum(${expression})` : `sum by (${labels.join(", ")}) (${expression})`;
}

/** Quantiles of a histogram of seconds, or of whatever it holds. */
export function quantiles(
  name: string,
  by: readonly string[] = [],
  wanted: readonly number[] = [0.5, 0.95, 0.99],
  ...matchers: readonly string[]
): Query[] {
  const legend = by.map((label) => ` {{${label}}}`).join("");
  return wanted.map((quantile) => ({
    expr: `histogram_quantile(${quantile}, ${sumBy(["le", ...by], rate(`${name}_bucket`, ...matchers))})`,
    legend: `p${quantile * 100}${legend}`,
  }));
}

/** A histogram as a heatmap shows it. */
export function buckets(name: string, ...matchers: readonly string[]): Query[] {
  return [
    {
      expr: `sum by (le) (increase(${metric(`${name}_bucket`, ...matchers)}[${rateWindow}]))`,
      legend: "{{le}}",
    },
  ];
}

/** One share of another; empty, not an error, where there was nothing to have a share of. */
export function share(part: string, whole: string): string {
  return `${part} / (${whole} > 0)`;
}
