/**
 * The chart on a real API server: KUBECONFIG names it, and a simulated node (KWOK, label type=kwok) makes pods Ready
 * that run nothing. What pods do when they run is shown on a real node.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import { eventually } from "../support/eventually.ts";
import { chart, render, withoutHelm } from "./helm.ts";
import { matrix, servers } from "./options.ts";
import type { Namespace } from "./support/cluster.ts";
import { createNamespace } from "./support/cluster.ts";

const release = "headwater";
const accounts = ["ingest", "embedding-worker", "search", "generation", "gateway"];
const wait = ["--wait", "--timeout", "5m"];

function leftOut(): string | false {
  if (withoutHelm) return withoutHelm;
  try {
    const nodes = execFileSync("kubectl", ["get", "nodes", "--selector", "type=kwok", "--output", "name"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 20_000,
    });
    if (nodes.trim() !== "") return false;
  } catch {
    // Told below: there is no kubectl, or nobody answers it.
  }
  const reason = "LEFT OUT: KUBECONFIG names no cluster with a simulated node (type=kwok)";
  process.stderr.write(`${reason}\n`);
  return reason;
}

/** Flags of `helm install` and `upgrade` for the production profile, on simulated nodes and without operators. */
function flags(set: Readonly<Record<string, unknown>>): string[] {
  const values = {
    ...servers,
    "placement.nodeSelector": { type: "kwok" },
    "autoscaling.mode": "hpa",
    "tls.mode": "generated",
    ...set,
  };
  const given = Object.entries(values).flatMap(([name, value]) => [
    "--set-json",
    `${name}=${JSON.stringify(value)}`,
  ]);
  return ["--values", join(chart, "values-production.yaml"), ...given, ...wait];
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

/** Every object of the namespace, as kind/name, but for what Kubernetes puts into each. */
async function holdings({ kubectl }: Namespace): Promise<string[]> {
  const kinds = words(
    await kubectl("api-resources", "--namespaced", "--verbs=list,delete", "--output", "name"),
  );
  const watched = kinds.filter((kind) => !/^events(\.|$)|^leases/.test(kind));
  const found = words(await kubectl("get", watched.join(","), "--output", "name", "--ignore-not-found"));
  return found
    .filter((name) => !["serviceaccount/default", "configmap/kube-root-ca.crt"].includes(name))
    .sort();
}

describe("the chart on an API server", { skip: leftOut() }, () => {
  test("is installed under restricted admission, upgraded, rolled back and taken away, with nothing left", async (t) => {
    await using namespace = await createNamespace("install");
    const { kubectl, helm } = namespace;
    const data = async (kind: string, name: string) =>
      (await namespace.get<{ readonly data: Record<string, string> }>(kind, name)).data;

    const notes = await helm("install", release, chart, ...flags({}));
    assert.match(notes, /kubectl --namespace \S+ port-forward service\/headwater-gateway 8080:8080/);
    await t.test("admission lets every pod in, and all become ready", async () => {
      const reasons = "jsonpath={range .items[*]}{.reason} {.message}\n{end}";
      assert.doesNotMatch(
        await kubectl("get", "events", "--output", reasons),
        /violates PodSecurity|FailedCreate/,
      );
      const ready = words(
        await kubectl("get", "deployments", "--output", "jsonpath={.items[*].status.readyReplicas}"),
      );
      assert.equal(ready.length, accounts.length);
      const phases = words(await kubectl("get", "pods", "--output", "jsonpath={.items[*].status.phase}"));
      assert(
        phases.length >= accounts.length && phases.every((phase) => ["Running", "Succeeded"].includes(phase)),
      );
    });

    await t.test("no account may do anything, and none is bound to a role", async () => {
      const rights = [
        ["get", "secrets"],
        ["get", "configmaps"],
        ["list", "pods"],
        ["create", "pods"],
      ] as const;
      for (const name of accounts) {
        const account = `--as=system:serviceaccount:${namespace.name}:headwater-${name}`;
        for (const [verb, kind] of rights) {
          // kubectl says no with an exit code.
          const answer = await kubectl("auth", "can-i", verb, kind, account).catch(
            ({ stdout }: { readonly stdout: string }) => stdout,
          );
          assert.equal(answer.trim(), "no", `${name}: ${verb} ${kind}`);
        }
      }
      const bindings = await kubectl(
        "get",
        "rolebindings,clusterrolebindings",
        "--all-namespaces",
        "--output",
        "json",
      );
      assert(!bindings.includes(namespace.name));
    });

    const key = await data("secret", "headwater-api-keys");
    const certificate = await data("secret", "headwater-search-tls");
    assert.match(Buffer.from(key["api-keys"] ?? "", "base64").toString(), /^[A-Za-z0-9]{40} default\n$/);
    const firstSettings = await data("configmap", "headwater-settings");

    await t.test(
      "an upgrade keeps keys and certificates, and the number that an autoscaler set",
      async () => {
        await kubectl("scale", "deployment/headwater-search", "--replicas=4");
        await helm("upgrade", release, chart, ...flags({ logLevel: "debug" }));
        assert.equal((await data("configmap", "headwater-settings"))["HEADWATER_LOG_LEVEL"], "debug");
        assert.deepEqual(await data("secret", "headwater-api-keys"), key);
        assert.deepEqual(await data("secret", "headwater-search-tls"), certificate);
        const search = ["get", "deployment", "headwater-search", "--output", "jsonpath={.spec.replicas}"];
        assert.equal(await kubectl(...search), "4");
      },
    );

    await t.test("a rollback brings the settings back", async () => {
      await helm("rollback", release, "1", ...wait);
      assert.deepEqual(await data("configmap", "headwater-settings"), firstSettings);
      assert.deepEqual(await data("secret", "headwater-api-keys"), key);
    });

    await t.test("a change that fits no schema changes nothing", async () => {
      const wrong = flags({ "search.replica": 3 });
      await assert.rejects(
        helm("upgrade", release, chart, ...wrong),
        /additional properties 'replica' not allowed/,
      );
      assert.deepEqual(await data("configmap", "headwater-settings"), firstSettings);
    });

    await t.test("nothing is left after it is uninstalled", async () => {
      await helm("uninstall", release, ...wait);
      // Pods that drain, and what hangs on owners, go a moment later.
      const empty = async () => ((await holdings(namespace)).length === 0 ? true : undefined);
      await eventually("the namespace is empty", empty, 120_000);
    });
  });

  const operators = [
    "scaledobjects.keda.sh",
    "certificates.cert-manager.io",
    "grpcroutes.gateway.networking.k8s.io",
  ];
  for (const name of ["production", "production with Gateway API", "production with ingress", "try"]) {
    test(`is taken by the server, every object of it: ${name}`, async (t) => {
      await using namespace = await createNamespace("dry-run");
      const known = await namespace.kubectl("get", "customresourcedefinitions", "--output", "name");
      const unknown = operators.filter((kind) => !known.includes(kind));
      if (unknown.length > 0) return t.skip(`LEFT OUT: the cluster does not know ${unknown.join(", ")}`);
      // But for the pods of `helm test`: they need an account that a dry run does not keep.
      const manifests = await render({ ...matrix[name], namespace: namespace.name });
      const items = manifests.filter(({ kind }) => kind !== "Pod");
      const file = join(await temporaryFolder(), "all.json");
      await writeFile(file, JSON.stringify({ apiVersion: "v1", kind: "List", items }));
      // Defaults, validation and admission run as in earnest, and nothing is kept.
      await namespace.kubectl("apply", "--dry-run=server", "--filename", file);
    });
  }
});
