import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import { stringify } from "yaml";
import { createDashboard, panelsOf } from "../../scripts/monitoring/dashboard.ts";
import { dashboards } from "../../scripts/monitoring/dashboards/index.ts";
import { withoutVariables } from "./promql.ts";
import { readRules, root, rulesPath } from "./rules-file.ts";

const rules = readRules();
const alerts = rules.filter(({ alert }) => alert !== undefined);
const runbooks = join(root, "docs", "runbooks");

test("every alert says what it is, how bad, and has a runbook; every runbook has an alert", () => {
  const pages = new Set<string>();
  for (const { alert, labels, annotations } of alerts) {
    assert.match(labels?.["severity"] ?? "", /^(critical|warning)$/, alert);
    assert(annotations?.["summary"] && annotations["description"], alert);
    const page = /^docs\/runbooks\/([a-z-]+\.md)$/.exec(annotations["runbook"] ?? "")?.[1];
    assert(page, alert);
    pages.add(page);
    const text = readFileSync(join(runbooks, page), "utf8");
    assert(text.includes(`\`${alert}\``), `${page} does not name ${alert}`);
    for (const part of ["What it means", "How to see it", "What to do"])
      assert(text.includes(`\n## ${part}\n`), `${page} does not say: ${part}`);
    const index = readFileSync(join(runbooks, "README.md"), "utf8");
    assert(
      index.includes(`| \`${alert}\` (${labels?.["severity"]}) | [${page.slice(0, -3)}](${page}) |`),
      alert,
    );
  }
  const written = readdirSync(runbooks).filter((name) => name !== "README.md");
  assert.deepEqual(new Set(written), pages);
});

test("runbooks point to pages that are there", () => {
  for (const name of readdirSync(runbooks)) {
    const text = readFileSync(join(runbooks, name), "utf8");
    for (const [, target = ""] of text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g))
      assert(existsSync(join(runbooks, target)), `${name} points to ${target}`);
  }
});

const promtool = process.env["HEADWATER_PROMTOOL"] ?? "promtool";
const missing = spawnSync(promtool, ["--version"]).error
  ? "LEFT OUT: no promtool (go install github.com/prometheus/prometheus/cmd/promtool@latest; HEADWATER_PROMTOOL names it)"
  : false;
if (missing) process.stderr.write(`${missing}\n`);

function run(...parameters: string[]): void {
  const { status, stdout, stderr } = spawnSync(promtool, parameters, { encoding: "utf8" });
  assert.equal(status, 0, `${stdout}\n${stderr}`);
}

test("Prometheus takes the rules", { skip: missing }, () => run("check", "rules", rulesPath));

test("alerts fire when they should, and only then", { skip: missing }, () =>
  run("test", "rules", join(import.meta.dirname, "rules.promtool.yaml")),
);

test("Prometheus takes every query of the dashboards", { skip: missing }, async () => {
  const queries = dashboards.flatMap((dashboard) =>
    panelsOf(createDashboard(dashboard)).flatMap(
      ({ targets = [] }) => targets as readonly { expr?: string }[],
    ),
  );
  const named = queries.map(({ expr = "" }, place) => ({
    record: `panel:${place}`,
    expr: withoutVariables(expr),
  }));
  const file = join(await temporaryFolder(), "panels.yaml");
  writeFileSync(file, stringify({ groups: [{ name: "panels", rules: named }] }));
  run("check", "rules", file);
});
