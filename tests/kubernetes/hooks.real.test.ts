/**
 * The chart's hooks on a node that runs containers, with the stores outside of the cluster; needs what
 * try-out.real.test.ts needs. The services may make nothing here: what they find, the hook has made.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import type { RealServers } from "../support/real-servers.ts";
import { missingServers, useRealServers } from "../support/real-servers.ts";
import type { Namespace } from "./support/cluster.ts";
import { createNamespace, noCluster } from "./support/cluster.ts";
import type { Installation } from "./support/installation.ts";
import { prepareInstallation } from "./support/installation.ts";
import { storeValues } from "./support/store-values.ts";

const registry = process.env.HEADWATER_IMAGE_REGISTRY;
const missing = [
  ...(noCluster ? [noCluster] : []),
  ...(registry ? [] : ["HEADWATER_IMAGE_REGISTRY names no images that a node has"]),
  ...missingServers().map((name) => `${name} is not set`),
];
const skip = missing.length > 0 && missing.join("; ");

describe("hooks on a real node", { skip, timeout: 1_500_000 }, () => {
  let servers: RealServers;
  let namespace: Namespace;
  let installation: Installation;

  before(async () => {
    servers = await useRealServers();
    namespace = await createNamespace("hooks");
    const { kafka, s3, ...stores } = await storeValues(namespace, servers.environment);
    const small = { replicas: 1, resources: { requests: { cpu: "10m", memory: "128Mi" } } };
    const values = {
      ...stores,
      kafka: { ...kafka, createTopics: false },
      s3: { ...s3, createBucket: false },
      image: { registry, tag: process.env.HEADWATER_IMAGE_TAG ?? "", pullPolicy: "Never" },
      placement: { nodeSelector: { type: "real" } },
      autoscaling: { mode: "none" },
      ...{ ingest: small, embeddingWorker: small, search: small, generation: small, gateway: small },
    };
    installation = await prepareInstallation(namespace, await temporaryFolder(), "values-try.yaml", values);
  });
  after(async () => {
    await namespace[Symbol.asyncDispose]();
    await servers.stop();
  });

  test("services that may make nothing become ready on what the hook has made before them", async (context) => {
    const started = performance.now();
    await installation.upgrade();
    context.diagnostic(`installed and ready after ${Math.round((performance.now() - started) / 1000)} s`);
    assert.equal((await indexNames(servers.environment)).length, 2);
    assert.equal(await left(namespace, "prepare"), "");
  });

  test("helm test sends a document through all of it", async (context) => {
    const said = await installation.test();
    for (const line of said.split("\n").filter((text) => / ms/.test(text))) context.diagnostic(line.trim());
    assert.match(said, /written to Kafka/);
    assert.match(said, /answered, with its citation: \d+ ms/);
    assert.match(said, /Passed/);
    assert.equal(
      await namespace.kubectl("get", "pods", "-l", "app.kubernetes.io/component=smoke-test", "-o", "name"),
      "",
    );
  });

  test("an upgrade repeats the hook and changes nothing", async (context) => {
    const before = await indexNames(servers.environment);
    const started = performance.now();
    await installation.upgrade("--set", "hooks.prepare.waitSeconds=60");
    context.diagnostic(`upgraded after ${Math.round((performance.now() - started) / 1000)} s`);
    assert.deepEqual(await indexNames(servers.environment), before);
  });

  test("a server that is away ends the upgrade with its reason, and the release goes on as it was", async () => {
    const away = ["--set", "postgresql.url=postgres://headwater@127.0.0.1:9/headwater"];
    const quick = ["--set", "hooks.prepare.waitSeconds=1", "--set", "hooks.prepare.backoffLimit=0"];
    await assert.rejects(
      installation.upgrade(...away, ...quick),
      /HW_POSTGRES_UNAVAILABLE|BackoffLimitExceeded|failed/,
    );
    const log = await namespace.kubectl("logs", "job/headwater-prepare", "--container", "prepare");
    assert.match(log, /HW_POSTGRES_UNAVAILABLE/);
    assert.match(await installation.test(), /Passed/);
  });

  test("uninstall leaves nothing of the hooks behind", async () => {
    await installation.upgrade();
    await installation.uninstall();
    for (const component of ["prepare", "smoke-test"]) assert.equal(await left(namespace, component), "");
  });
});

/** Names of what is there of a hook. */
async function left(namespace: Namespace, component: string): Promise<string> {
  const kinds = "jobs,pods,configmaps,serviceaccounts,networkpolicies";
  const selector = `app.kubernetes.io/component=${component}`;
  const gone = ["--for=delete", "pods", "-l", selector, "--timeout=60s"];
  await namespace.kubectl("wait", ...gone);
  const names = await namespace.kubectl("get", kinds, "-l", selector, "-o", "name");
  // What is no hook is part of the release while that is there.
  return names
    .split("\n")
    .filter((name) => name !== "" && !name.endsWith("smoke-test"))
    .join();
}

async function indexNames(environment: Record<string, string>): Promise<string[]> {
  const { HEADWATER_ELASTICSEARCH_URL: url, HEADWATER_ELASTICSEARCH_PREFIX: prefix } = environment;
  const found = await fetch(`${url}/_cat/indices/${prefix}*?h=index&format=json`);
  return ((await found.json()) as { index: string }[]).map(({ index }) => index).sort();
}
