import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createHeadwaterClient } from "@headwater/client";
import { registerDependencyMetrics } from "@headwater/resilience";
import type { AdminServer } from "@headwater/service";
import { startAdminServer } from "@headwater/service";
import { createRegistry } from "@headwater/telemetry";
import { temporaryFolder, until } from "@headwater/testing";
import { stringify } from "yaml";
import { createDashboard, panelsOf } from "../../scripts/monitoring/dashboard.ts";
import { dashboards } from "../../scripts/monitoring/dashboards/index.ts";
import type { Stack } from "../support/test-stack.ts";
import { startTestStack } from "../support/test-stack.ts";
import { withoutVariables } from "./promql.ts";
import { rulesPath } from "./rules-file.ts";

const program = process.env["HEADWATER_PROMETHEUS"] ?? "prometheus";
const missing = spawnSync(program, ["--version"]).error
  ? "LEFT OUT: no prometheus (HEADWATER_PROMETHEUS names it)"
  : false;
if (missing) process.stderr.write(`${missing}\n`);

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: { readonly result: readonly unknown[] };
}

describe("a real Prometheus on real services", { skip: missing }, () => {
  let stack: Stack;
  let admin: AdminServer;
  let prometheus: ChildProcess;
  let url = "";
  const query = async (expression: string): Promise<Answer> => {
    const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`);
    // It listens before it has read its storage.
    if (answer.status === 503) return { status: "starting" };
    return (await answer.json()) as Answer;
  };
  const found = async (expression: string) => (await query(expression)).data?.result.length ?? 0;

  before(async () => {
    stack = await startTestStack(await temporaryFolder());
    const whole = createRegistry("headwater", { processMetrics: true });
    registerDependencyMetrics(whole);
    admin = await startAdminServer("127.0.0.1:0", stack.services, [whole]);
    const folder = await temporaryFolder();
    copyFileSync(rulesPath, join(folder, "rules.yaml"));
    const target = { targets: [admin.address], labels: { namespace: "rag", pod: "headwater-1" } };
    writeFileSync(
      join(folder, "prometheus.yaml"),
      stringify({
        global: { scrape_interval: "1s", evaluation_interval: "1s" },
        rule_files: ["rules.yaml"],
        scrape_configs: [{ job_name: "headwater", honor_labels: true, static_configs: [target] }],
      }),
    );
    prometheus = spawn(
      program,
      [
        `--config.file=${join(folder, "prometheus.yaml")}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        "--web.listen-address=127.0.0.1:0",
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    let said = "";
    prometheus.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      const address = /Listening on.*?address=(127\.0\.0\.1:\d+)/.exec(said)?.[1];
      if (address !== undefined) url = `http://${address}`;
    });
    await until("Prometheus listens", () => url !== "");
    await until("a scrape succeeded", async () => (await found('up{job="headwater"} == 1')) > 0);
  });
  after(async () => {
    prometheus?.kill();
    if (prometheus && prometheus.exitCode === null) await once(prometheus, "exit");
    await admin?.close();
    await stack?.close(5000);
  });

  test("every query of every dashboard is answered without an error", async () => {
    for (const dashboard of dashboards)
      for (const { title, targets = [] } of panelsOf(createDashboard(dashboard)))
        for (const { expr = "" } of targets as readonly { expr?: string }[]) {
          const { status, error } = await query(withoutVariables(expr));
          assert.equal(status, "success", `${dashboard.name}, "${title}": ${error}`);
        }
  });

  test("the rules are loaded and evaluate", async () => {
    await until("rules were evaluated", async () => (await found("headwater:ingest_lag_records:sum")) > 0);
    const answer = await fetch(`${url}/api/v1/rules`);
    const { data } = (await answer.json()) as {
      data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
    };
    const rules = data.groups.flatMap((group) => group.rules);
    assert(rules.length >= 50);
    assert.deepEqual(
      rules.filter(({ health }) => health === "err").map(({ name, lastError }) => `${name}: ${lastError}`),
      [],
    );
  });

  test("what services do shows: a document, a search and an answer", async () => {
    const client = createHeadwaterClient({ baseUrl: `http://${stack.address("gateway")}` });
    const gateway = `http://${stack.address("gateway")}`;
    await fetch(`${gateway}/v1/documents`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        id: "springs",
        text: "Springs feed the river all year.",
        media_type: "text/plain",
      }),
    });
    await until("the document is indexed", async () => (await client.pipeline()).documents.indexed > 0);
    for await (const _ of client.search("what feeds the river"));
    for await (const _ of client.answer("What feeds the river?"));
    for (const expression of [
      'headwater_ingest_freshness_seconds_count{service="ingest"} == 1',
      'headwater_search_top_score_count{stage="vector"} >= 1',
      'sum(headwater_generation_answers_total{model="extractive"}) == 1',
      'headwater_embedding_tokens_total{lane="passage"} > 0',
      'rag_queries_total{service="gateway"} > 0',
    ])
      await until(expression, async () => (await found(expression)) > 0);
  });
});
