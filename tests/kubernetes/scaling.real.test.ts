/**
 * The scaler on a real KEDA: real embedding-workers outside of the cluster are as many as a Deployment has replicas, and
 * what waits for them, and what they do, decides how many that is. It needs a cluster (KUBECONFIG) whose KEDA reaches
 * this host (HEADWATER_TEST_HOST, default 127.0.0.1), and a node for pods that do nothing
 * (HEADWATER_TEST_NODE_SELECTOR, default type=kwok). It prints what happened when.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { ServiceProcess } from "@headwater/cli/service-process";
import { temporaryFolder } from "@headwater/testing";
import { eventually } from "../support/eventually.ts";
import type { Namespace } from "./support/cluster.ts";
import { createNamespace, noCluster } from "./support/cluster.ts";
import { PassageLoad } from "./support/passage-load.ts";
import { WorkerPods } from "./support/worker-pods.ts";

const host = process.env.HEADWATER_TEST_HOST ?? "127.0.0.1";
const nodeSelector = Object.fromEntries([
  (process.env.HEADWATER_TEST_NODE_SELECTOR ?? "type=kwok").split("="),
]);
const skip = noCluster ?? (hasKeda() ? false : "the cluster has no KEDA");

/** Seconds between two of KEDA's own looks: long enough to tell a push from one of them. */
const pollingInterval = 30;
const cooldownPeriod = 15;
const maxReplicas = 3;
const workload = "embedding-worker";

interface ScaledObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}
interface Autoscaler {
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
    }[];
  };
}

describe("the embedding-worker on a real KEDA", { skip, timeout: 1_500_000 }, () => {
  const began = performance.now();
  let replicas = 0;
  let namespace: Namespace;
  let workers: WorkerPods;
  let load: PassageLoad;
  let scaler: ServiceProcess;
  let stopWatching: () => Promise<void>;

  const note = (what: string) => {
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    process.stdout.write(`| ${seconds} s | ${replicas} replicas | ${what} |\n`);
  };
  const startScaler = (listen: string) =>
    ServiceProcess.start(new URL("./support/scaler-main.ts", import.meta.url), {
      HEADWATER_SCALER_LISTEN: listen,
      HEADWATER_SCALER_HOLD_MS: "5000",
      HEADWATER_EMBEDDING_ADDRESS: workers.address,
      HEADWATER_INGEST_ADDRESS: `ingest:${load.address.split(":").at(-1)}`,
      HEADWATER_TEST_PODS: workers.list,
    });
  const conditionOf = async (type: string) => {
    const { status } = await namespace.get<ScaledObject>("scaledobject", workload);
    return status?.conditions?.find((condition) => condition.type === type)?.status;
  };
  const untilReplicas = (what: string, wanted: (count: number) => boolean, timeoutMs: number) =>
    eventually(what, () => (wanted(replicas) ? replicas : undefined), timeoutMs);

  before(async () => {
    namespace = await createNamespace("scaling");
    const folder = await temporaryFolder();
    workers = new WorkerPods(folder, ["127.0.0.1"]);
    await workers.tell();
    load = await PassageLoad.start(() => workers.addresses);
    scaler = await startScaler(`${host}:0`);
    await namespace.apply(deployment());
    stopWatching = watchReplicas(namespace.name, (count) => {
      replicas = count;
      note("the Deployment was scaled");
      workers.scale(count);
    });
    await namespace.apply(scaledObject(scaler.address));
    await eventually(
      "KEDA is ready",
      async () => ((await conditionOf("Ready")) === "True" ? true : undefined),
      60_000,
    );
    note("the ScaledObject is Ready");
  });

  after(async () => {
    await stopWatching?.();
    await load?.close();
    await workers?.close();
    await scaler?.stop();
    await namespace?.[Symbol.asyncDispose]();
  });

  test("push wakes it before KEDA looks, tokens make it more, their end makes it one and then none", async () => {
    await delay(3000);
    assert.equal(replicas, 0);
    note("4,000 passages wait");
    const waitedFrom = performance.now();
    load.add(4000);
    await untilReplicas("awake", (count) => count >= 1, pollingInterval * 500);
    note(`awake after ${Math.round(performance.now() - waitedFrom)} ms`);
    await untilReplicas("more", (count) => count === maxReplicas, 420_000);
    await eventually("all are embedded", () => (load.left === 0 ? true : undefined), 600_000);
    note("all are embedded");
    await untilReplicas("one", (count) => count === 1, 420_000);
    await untilReplicas("none", (count) => count === 0, 420_000);
  });

  test("a scaler that is killed takes no replica away, also not to zero, and is taken up again", async () => {
    load.add(1600);
    await untilReplicas("awake", (count) => count >= 2, 120_000);
    const { address } = scaler;
    await scaler.kill();
    note("the scaler is killed");
    const before = replicas;
    const hpa = await eventually(
      "the HPA has no metric",
      async () => {
        const { status } = await namespace.get<Autoscaler>("hpa", `keda-hpa-${workload}`);
        return status?.conditions?.find(({ type, status: is }) => type === "ScalingActive" && is === "False");
      },
      120_000,
    );
    note(`the HPA says ${hpa.reason}`);
    await eventually("the work is done without it", () => (load.left === 0 ? true : undefined), 600_000);
    note("all are embedded");
    await delay(2 * (pollingInterval + cooldownPeriod) * 1000);
    const { status } = await namespace.get<{ status?: object }>("scaledobject", workload);
    note(`fallback: ${JSON.stringify(status && "health" in status ? status.health : "no failure counted")}`);
    assert(replicas >= before, `${before} replicas became ${replicas}`);
    scaler = await startScaler(address);
    note("a scaler is there again");
    await untilReplicas("none", (count) => count === 0, 420_000);
  });
});

function hasKeda(): boolean {
  try {
    execFileSync("kubectl", ["get", "crd/scaledobjects.keda.sh"], {
      stdio: "ignore",
    });
    return true;
  } catch {
    return false;
  }
}

/** Pods that nothing runs in: their work is done by processes beside the cluster. */
function deployment(): object {
  const labels = { app: workload };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: workload },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          nodeSelector,
          tolerations: [{ operator: "Exists" }],
          automountServiceAccountToken: false,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 65532,
            seccompProfile: { type: "RuntimeDefault" },
          },
          containers: [
            {
              name: workload,
              image: "registry.k8s.io/pause:3.10",
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
            },
          ],
        },
      },
    },
  };
}

function scaledObject(scalerAddress: string): object {
  return {
    apiVersion: "keda.sh/v1alpha1",
    kind: "ScaledObject",
    metadata: { name: workload },
    spec: {
      scaleTargetRef: { name: workload },
      ...{ minReplicaCount: 0, maxReplicaCount: maxReplicas, pollingInterval, cooldownPeriod },
      fallback: { failureThreshold: 2, replicas: 1, behavior: "currentReplicasIfHigher" },
      advanced: {
        horizontalPodAutoscalerConfig: { behavior: { scaleDown: { stabilizationWindowSeconds: 15 } } },
      },
      triggers: [{ type: "external-push", metadata: { scalerAddress, workload, target: "5" } }],
    },
  };
}

/** Tells how many replicas are wanted, each time that it changes. @returns ends it */
function watchReplicas(namespace: string, onChange: (replicas: number) => void): () => Promise<void> {
  const output = "jsonpath={.spec.replicas}{'\\n'}";
  const args = ["--namespace", namespace, "get", "deployment", workload, "--watch", "--output", output];
  const watch = spawn("kubectl", args, { stdio: ["ignore", "pipe", "inherit"] });
  let known = 0;
  createInterface({ input: watch.stdout }).on("line", (line) => {
    const now = Number(line);
    if (now === known) return;
    known = now;
    onChange(now);
  });
  return async () => {
    const ended = once(watch, "close");
    watch.kill();
    await ended;
  };
}
