import { parser } from "@prometheus-io/lezer-promql";

/** A metric as an expression names it, with the labels that it is chosen by. */
export interface Selector {
  readonly metric: string;
  readonly labels: readonly string[];
}

export interface ParsedQuery {
  readonly selectors: readonly Selector[];
  /** Labels that the expression groups or joins by. */
  readonly groupings: readonly string[];
}

/** Grafana's variables, as Prometheus would get them. */
export function withoutVariables(expression: string): string {
  return expression.replaceAll("$__rate_interval", "5m").replaceAll("$namespace", ".*");
}

/** @throws Error where it is not PromQL */
export function parseQuery(expression: string): ParsedQuery {
  const text = withoutVariables(expression);
  const selectors: Selector[] = [];
  const groupings: string[] = [];
  let labels: string[] = [];
  parser.parse(text).iterate({
    enter({ type, from, to }) {
      const part = text.slice(from, to);
      if (type.isError) throw new SyntaxError(`not PromQL at ${from}: ${text}`);
      if (type.name === "VectorSelector") {
        const metric = /^[A-Za-z_:][A-Za-z0-9_:]*/.exec(part)?.[0] ?? "";
        labels = [];
        selectors.push({ metric, labels });
      }
      if (type.name === "LabelName") {
        // Those of a selector stand within its matchers, the others in a clause such as `by (…)`.
        const selector = selectors.at(-1);
        const rest = text.slice(to).trimStart();
        if (selector && /^(=~|!~|=|!=)/.test(rest)) labels.push(part);
        else groupings.push(part);
      }
    },
  });
  return { selectors, groupings };
}
