import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import { stringify } from "yaml";
import { missing, refusal, render, root, withoutHelm } from "./helm.ts";
import { ofKind } from "./manifest.ts";
import { matrix } from "./options.ts";

interface Rule {
  readonly alert?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const promtool = process.env["HEADWATER_PROMTOOL"] ?? "promtool";

describe("the chart's monitoring", { skip: withoutHelm }, () => {
  const watched = { profiles: ["try"], set: matrix["try with monitoring"]?.set ?? {} };

  test("is off unless it is asked for", async () => {
    const kinds = (await render({ profiles: ["try"] })).map(({ kind }) => kind);
    for (const kind of ["PodMonitor", "ServiceMonitor", "PrometheusRule"])
      assert(!kinds.includes(kind), kind);
  });

  test("a monitor selects every pod or Service that has metrics, and keeps the label service", async () => {
    for (const [kind, values] of [
      ["PodMonitor", watched],
      ["ServiceMonitor", matrix["try with a ServiceMonitor"] ?? {}],
    ] as const) {
      const manifests = await render(values);
      const [monitor] = ofKind(manifests, kind);
      const spec = monitor?.spec as unknown as {
        selector: { matchLabels: Record<string, string> };
        endpoints?: { honorLabels: boolean; port: string }[];
        podMetricsEndpoints?: { honorLabels: boolean; port: string }[];
      };
      const [endpoint] = spec.endpoints ?? spec.podMetricsEndpoints ?? [];
      assert.deepEqual([endpoint?.port, endpoint?.honorLabels], ["metrics", true]);
      const selected = (labels: Readonly<Record<string, string>> = {}) =>
        Object.entries(spec.selector.matchLabels).every(([name, value]) => labels[name] === value);
      const components = new Set<string | undefined>();
      for (const { kind: of, metadata, spec: own } of manifests) {
        const labels = kind === "PodMonitor" ? own?.template?.metadata?.labels : metadata.labels;
        const ports = (
          kind === "PodMonitor"
            ? own?.template?.spec?.containers?.flatMap(({ ports: all = [] }) => all)
            : (own as { ports?: { name?: string }[] } | undefined)?.ports
        ) as { name?: string }[] | undefined;
        if (of !== (kind === "PodMonitor" ? "Deployment" : "Service") || !selected(labels)) continue;
        if (ports?.some(({ name }) => name === "metrics"))
          components.add(labels?.["app.kubernetes.io/component"]);
      }
      for (const component of ["ingest", "embedding-worker", "search", "generation", "gateway"])
        assert(components.has(component), `${kind} does not reach ${component}`);
    }
  });

  test("both monitors at once are refused: pods would be counted twice", async () => {
    const set = { "monitoring.podMonitor.enabled": true, "monitoring.serviceMonitor.enabled": true };
    assert.match(await refusal({ profiles: ["try"], set }), /counted twice/);
  });

  test("rules are those of deploy/prometheus, with addresses of runbooks, without what is disabled", async () => {
    const [manifest] = ofKind(await render(watched), "PrometheusRule");
    const { groups = [] } = (manifest?.spec ?? {}) as { groups?: { rules: Rule[] }[] };
    const rules = groups.flatMap(({ rules: all }) => all);
    assert(rules.length > 40);
    assert(!rules.some(({ alert }) => alert === "HeadwaterZeroHits"));
    const lag = rules.find(({ alert }) => alert === "HeadwaterIngestLagGrowing");
    assert.equal(
      lag?.annotations?.["runbook_url"],
      "https://runbooks.example.com/headwater/ingest-lag-growing.md",
    );
    assert.match(lag?.annotations?.["description"] ?? "", /\{\{ \$value \| humanize \}\}/);
  });

  test("Prometheus takes the rendered rules", { skip: missing(promtool, "--version") }, async () => {
    const [manifest] = ofKind(await render(watched), "PrometheusRule");
    const file = join(await temporaryFolder(), "rules.yaml");
    writeFileSync(file, stringify(manifest?.spec));
    const { status, stderr } = spawnSync(promtool, ["check", "rules", file], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
  });

  test("each dashboard is a ConfigMap, whole", async () => {
    const maps = ofKind(await render(watched), "ConfigMap").filter(({ metadata }) =>
      metadata.name.includes("-dashboard-"),
    ) as unknown as { metadata: { labels: Record<string, string> }; data: Record<string, string> }[];
    const folder = join(root, "deploy", "dashboards");
    const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
    assert.equal(maps.length, files.length);
    for (const { metadata, data } of maps) {
      assert.equal(metadata.labels["grafana_dashboard"], "1");
      const [name = "", text = ""] = Object.entries(data)[0] ?? [];
      const file = readFileSync(join(folder, name.replace("headwater-", "")), "utf8");
      assert.deepEqual(JSON.parse(text), JSON.parse(file));
    }
  });
});
