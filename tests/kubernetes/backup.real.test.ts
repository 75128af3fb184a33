/**
 * The chart's jobs for operators, as pods, with mutual TLS on: a backup made of its CronJob, `headwater doctor`, and a
 * restore into an installation that has nothing, as docs/backup.md says. It needs what try-out.real.test.ts needs.
 */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { HeadwaterClient } from "@headwater/client";
import { createHeadwaterClient } from "@headwater/client";
import { createNodeTransport } from "@headwater/client/node";
import { temporaryFolder } from "@headwater/testing";
import { eventually } from "../support/eventually.ts";
import { useRealServers } from "../support/real-servers.ts";
import type { Namespace } from "./support/cluster.ts";
import { createNamespace } from "./support/cluster.ts";
import type { Installation } from "./support/installation.ts";
import { missingForInstallation, prepareInstallation, realNode } from "./support/installation.ts";
import { storeValues } from "./support/store-values.ts";

const content = "The heron of Quillmere counts nine hundred and twelve reeds each spring.";
const question = "How many reeds does the heron count?";
/** What must not run during a restore. */
const callers = ["ingest", "search", "generation", "gateway"];

interface Job {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: { args: readonly string[] }[] } };
  };
  readonly status?: { readonly succeeded?: number; readonly failed?: number };
}

/** An installation with a corner of its own of each store. */
interface Site {
  readonly namespace: Namespace;
  readonly installation: Installation;
  readonly client: HeadwaterClient;
  readonly bucket: string;
}

describe("jobs for operators", { skip: missingForInstallation(), timeout: 1_500_000 }, () => {
  const resources = new AsyncDisposableStack();
  let site: Site;
  after(() => resources.disposeAsync());

  /** @param backups bucket with the backups; default: the one of the originals */
  async function install(purpose: string, backups?: string): Promise<Site> {
    const servers = await useRealServers();
    resources.defer(() => servers.stop());
    const bucket = servers.environment["HEADWATER_S3_BUCKET"] ?? "";
    const namespace = resources.use(await createNamespace(purpose));
    const stores = await storeValues(namespace, servers.environment);
    const backup = { enabled: true, destination: `s3://${backups ?? bucket}/backups/` };
    const values = { ...realNode(1), ...stores, backup, cli: { enabled: true } };
    const folder = await temporaryFolder();
    const installation = await prepareInstallation(namespace, folder, "values-try.yaml", values);
    await installation.upgrade();
    const [address, apiKey] = [await installation.gatewayAddress(), await installation.apiKey()];
    const transport = createNodeTransport({ address, apiKey });
    resources.defer(() => transport.close());
    return { namespace, installation, bucket, client: createHeadwaterClient({ transport }) };
  }

  /** Makes a job of a CronJob, and waits for its end. @returns what it printed */
  async function run(
    { namespace }: Site,
    name: string,
    cronJob: string,
    args?: readonly string[],
  ): Promise<string> {
    const from = `--from=cronjob/headwater-${cronJob}`;
    const rendered = await namespace.kubectl("create", "job", name, from, "--dry-run=client", "-o", "json");
    const job = JSON.parse(rendered) as Job;
    if (args) for (const container of job.spec.template.spec.containers) container.args = args;
    await namespace.apply(job);
    const ended = async () => {
      const { status } = await namespace.get<Job>("job", name);
      return status?.succeeded || status?.failed ? status : undefined;
    };
    const status = await eventually(`${name} ends`, ended, 300_000);
    const printed = await namespace.kubectl("logs", `job/${name}`);
    assert.equal(status.succeeded, 1, printed);
    return printed;
  }

  async function scale({ namespace, installation }: Site, replicas: 0 | 1): Promise<void> {
    const deployments = callers.map((name) => `deployment/headwater-${name}`);
    await namespace.kubectl("scale", ...deployments, `--replicas=${replicas}`);
    for (const name of deployments) await namespace.kubectl("rollout", "status", name, "--timeout=180s");
    // A rollout to none is through before its pods are gone.
    const isDone = async () => {
      const pods = await Promise.all(callers.map((name) => installation.pods(name)));
      return pods.flat().length === replicas * callers.length || undefined;
    };
    await eventually(`${replicas} of each`, isDone, 120_000);
  }

  async function found({ client }: Site): Promise<string[]> {
    const ids = new Set<string>();
    for await (const event of client.search(question))
      if (event.type === "hits") for (const { document } of event.hits) ids.add(document.id);
    return [...ids];
  }

  test("a backup is made of the CronJob, and doctor finds nothing wrong", async (context) => {
    site = await install("backup");
    for await (const { error } of site.client.documents.push([{ id: "heron", content }]))
      assert.equal(error, undefined);
    for await (const { state } of site.client.documents.watch({ ids: ["heron"], untilSettled: true }))
      assert.notEqual(state, "failed");
    context.diagnostic(await run(site, "backup-now", "backup"));
    context.diagnostic(await run(site, "doctor-now", "cli"));
  });

  test("it is restored into an installation that has nothing", async (context) => {
    const other = await install("restore", site.bucket);
    assert.deepEqual(await found(other), []);
    await scale(other, 0);
    context.diagnostic(await run(other, "restore-now", "cli", ["restore", "--no-reindex"]));
    await scale(other, 1);
    context.diagnostic(await run(other, "reindex-now", "cli", ["reindex", "--direct"]));
    assert.deepEqual(await found(other), ["heron"]);
    const events = await Array.fromAsync(other.client.answer(question));
    assert.ok(events.some((event) => event.type === "citation" && event.quote === content));
    // Its own first: until then doctor says that there is none.
    context.diagnostic(await run(other, "backup-after", "backup"));
    context.diagnostic(await run(other, "doctor-after", "cli"));
  });
});
