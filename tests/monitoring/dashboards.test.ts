import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Dashboard, Panel } from "@grafana/grafana-foundation-sdk/dashboard";
import { leastSchemaVersion, panelsOf } from "../../scripts/monitoring/dashboard.ts";
import { units } from "../../scripts/monitoring/panel.ts";
import { root } from "./rules-file.ts";

const folder = join(root, "deploy", "dashboards");
const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
const read = (name: string) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Dashboard;

test("there are dashboards, each with an address of its own", () => {
  assert(files.length >= 7);
  assert.equal(new Set(files.map((name) => read(name).uid)).size, files.length);
});

for (const name of files) {
  test(`${name} is what Grafana takes`, () => {
    const dashboard = read(name);
    assert(dashboard.schemaVersion >= leastSchemaVersion);
    assert.equal(dashboard.uid, `headwater-${name.replace(".json", "")}`);
    assert(dashboard.title && dashboard.description);
    const variables = dashboard.templating?.list ?? [];
    assert.deepEqual(
      variables.map((variable) => [variable.name, variable.type]),
      [
        ["datasource", "datasource"],
        ["namespace", "query"],
      ],
    );
    const panels = panelsOf(dashboard);
    assert(panels.length >= 5);
    const ids = (dashboard.panels ?? []).map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length, "panels have ids of their own");
    for (const panel of panels) checkPanel(panel);
    checkPlaces(dashboard.panels as readonly Panel[]);
  });
}

function checkPanel({ title, description, datasource, fieldConfig, targets = [] }: Panel): void {
  const at = `"${title}"`;
  assert(title, "a panel has a title");
  assert((description ?? "").length > 10, `${at} says what it shows`);
  assert.equal(datasource?.uid, `\${datasource}`, at);
  assert(units.includes(fieldConfig?.defaults.unit as (typeof units)[number]), `${at} has a unit`);
  assert(targets.length > 0, at);
  const ids = new Set<string>();
  for (const target of targets as readonly {
    refId?: string;
    expr?: string;
    datasource?: { uid?: string };
  }[]) {
    assert(target.refId && !ids.has(target.refId), `${at}: queries have ids of their own`);
    ids.add(target.refId);
    assert.equal(target.datasource?.uid, `\${datasource}`, at);
    assert.match(target.expr ?? "", /namespace=~"\$namespace"/, `${at} looks at the chosen namespace`);
  }
}

/** Nothing lies over another thing or beside the 24 columns. */
function checkPlaces(panels: readonly Panel[]): void {
  const taken = new Map<string, string>();
  for (const { title = "", gridPos } of panels) {
    assert(gridPos && gridPos.w > 0 && gridPos.h > 0 && gridPos.x + gridPos.w <= 24, title);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
        const other = taken.get(`${x}/${y}`);
        assert.equal(other, undefined, `"${title}" lies over "${other}"`);
        taken.set(`${x}/${y}`, title);
      }
  }
}
