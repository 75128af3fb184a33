import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { createDashboard, panelsOf } from "../../scripts/monitoring/dashboard.ts";
import { dashboards } from "../../scripts/monitoring/dashboards/index.ts";
import type { ExposedMetrics } from "./exposed-metrics.ts";
import { readExposedMetrics } from "./exposed-metrics.ts";
import { parseQuery } from "./promql.ts";
import { readRules, root } from "./rules-file.ts";

const rules = readRules();
const recorded = new Map(
  rules.flatMap((rule) => (rule.record === undefined ? [] : [[rule.record, rule.expr]])),
);
let exposed: ExposedMetrics;
before(async () => {
  exposed = await readExposedMetrics();
});

/** What is wrong with the metrics and labels of an expression. */
function mistakes(expression: string): string[] {
  const { selectors, groupings } = parseQuery(expression);
  assert(selectors.length > 0, `no metric is named: ${expression}`);
  const known = new Set<string>();
  const wrong: string[] = [];
  for (const { metric, labels } of selectors) {
    const has = recorded.has(metric) ? labelsOfRecord(metric) : exposed.get(metric);
    if (!has) {
      wrong.push(`no service exposes ${metric}`);
      continue;
    }
    for (const label of has) known.add(label);
    for (const label of labels) if (!has.has(label)) wrong.push(`${metric} has no label ${label}`);
  }
  for (const label of groupings) if (!known.has(label)) wrong.push(`no metric here has the label ${label}`);
  return wrong.map((what) => `${what}: ${expression}`);
}

/** A recording rule keeps the labels that its outermost aggregation names. */
function labelsOfRecord(name: string): ReadonlySet<string> {
  const by = /sum by \(([^)]*)\)/.exec(recorded.get(name) ?? "")?.[1] ?? "";
  return new Set(by.split(/,\s*/));
}

for (const dashboard of dashboards) {
  test(`dashboard ${dashboard.name}: every metric and label is one that a service exposes`, () => {
    const queries = panelsOf(createDashboard(dashboard)).flatMap(({ targets = [] }) => targets);
    const wrong = queries.flatMap((query) => mistakes((query as { expr?: string }).expr ?? ""));
    assert.deepEqual(wrong, []);
  });
}

test("every metric and label of the rules is one that a service exposes", () => {
  assert.deepEqual(
    rules.flatMap(({ expr }) => mistakes(expr)),
    [],
  );
});

test("every metric that a runbook names is one that a service exposes, or a recording rule", () => {
  const folder = join(root, "docs", "runbooks");
  for (const name of readdirSync(folder)) {
    const text = readFileSync(join(folder, name), "utf8");
    const named = text.match(/\b(?:headwater|rag|gen_ai)_[a-z0-9_]+|\bheadwater:[a-z0-9_:]+/g) ?? [];
    for (const metric of named) {
      const known = recorded.has(metric) || exposed.has(metric) || exposed.has(`${metric}_bucket`);
      assert(known, `${name} names ${metric}`);
    }
  }
});

test("no label names a tenant, an owner or a document: their values have no bound", () => {
  for (const [metric, labels] of exposed)
    for (const label of labels)
      assert(!/tenant|owner|document|user|caller|query|request_id/.test(label), `${metric} has ${label}`);
});
