/**
 * The chart's own ScaledObjects on a real KEDA and a real Kafka, with real pods: what waits in the topic makes ingest
 * more and none. It needs what try-out.real.test.ts needs, and a KEDA that reaches KAFKA_BROKERS and ClusterIPs. It
 * prints what happened when.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createHeadwaterClient } from "@headwater/client";
import { createNodeTransport } from "@headwater/client/node";
import { bareKafka } from "@headwater/document-log/bench";
import { temporaryFolder } from "@headwater/testing";
import { eventually } from "../support/eventually.ts";
import type { RealServers } from "../support/real-servers.ts";
import { useRealServers } from "../support/real-servers.ts";
import type { Namespace } from "./support/cluster.ts";
import { createNamespace } from "./support/cluster.ts";
import type { Installation } from "./support/installation.ts";
import { missingForInstallation, prepareInstallation, realNode } from "./support/installation.ts";
import { storeValues } from "./support/store-values.ts";

/** Below the topic's partitions, of which each has one reader at most. */
const maxReplicas = 3;
const documents = 600;

interface ScaledObjects {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  }[];
}

describe("ingest on a real KEDA", { skip: missingForInstallation(), timeout: 1_500_000 }, () => {
  const lines: string[] = [];
  let servers: RealServers;
  let namespace: Namespace;
  let installation: Installation;

  before(async () => {
    servers = await useRealServers();
    namespace = await createNamespace("lag");
    // The KEDA of tests may run outside of the cluster, where its names are not known.
    await namespace.apply({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "scaler-for-keda" },
      spec: {
        selector: { "app.kubernetes.io/instance": "headwater", "app.kubernetes.io/component": "scaler" },
        ports: [{ port: 7005 }],
      },
    });
    const { spec } = await namespace.get<{ spec: { clusterIP: string } }>("service", "scaler-for-keda");
    const scalerAddress = `${spec.clusterIP}:7005`;
    const values = {
      ...realNode(1),
      ...(await storeValues(namespace, servers.environment)),
      autoscaling: { mode: "keda", cooldownPeriod: 20, pollingInterval: 5, scalerAddress },
      tls: { mode: "none" },
      // The name server of a test's cluster may know nothing else.
      clusterDomain: "cluster.local",
    };
    const scaling = { minReplicas: 0, maxReplicas, lagThreshold: 50 };
    Object.assign(values.ingest, { autoscaling: scaling });
    installation = await prepareInstallation(namespace, await temporaryFolder(), "values-try.yaml", values);
    await installation.upgrade();
  });
  after(async () => {
    process.stdout.write(`${["| s | ingest pods | |", "|---|---|---|", ...lines].join("\n")}\n`);
    await namespace?.[Symbol.asyncDispose]();
    await servers?.stop();
  });

  test("every ScaledObject of the chart becomes Ready", async () => {
    const ready = async () => {
      const { items } = await namespace.get<ScaledObjects>("scaledobjects");
      const waiting = items.filter(
        ({ status }) =>
          !status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"),
      );
      return items.length === 5 && waiting.length === 0 ? true : undefined;
    };
    await eventually("the ScaledObjects are Ready", ready, 120_000);
  });

  test("what waits in Kafka makes ingest more, and none when it is done", async () => {
    const started = performance.now();
    const note = (pods: number, what: string) => {
      lines.push(`| ${((performance.now() - started) / 1000).toFixed(1)} | ${pods} | ${what} |`);
    };
    const podsUntil = async (what: string, wanted: (count: number) => boolean, timeoutMs: number) => {
      const count = async () => {
        const { spec } = await namespace.get<{ spec: { replicas: number } }>(
          "deployment",
          "headwater-ingest",
        );
        return wanted(spec.replicas) ? spec.replicas : undefined;
      };
      note(await eventually(what, count, timeoutMs), what);
    };
    await podsUntil("nothing waits: none", (count) => count === 0, 240_000);
    const { HEADWATER_KAFKA_BROKERS: brokers = "", HEADWATER_KAFKA_TOPIC: topic = "" } = servers.environment;
    await bareKafka(brokers).produce(topic, Array.from({ length: documents }, record));
    note(0, `${documents} documents wait`);
    await podsUntil("awake", (count) => count >= 1, 60_000);
    await podsUntil("as many as may be", (count) => count === maxReplicas, 180_000);
    await eventually("all are indexed", () => isIndexed(installation), 600_000);
    note(maxReplicas, "all are indexed");
    await podsUntil("none", (count) => count === 0, 400_000);
    assert(lines.length >= 6);
  });
});

function record(_: unknown, index: number) {
  const id = `heron-${index}`;
  const text = `Heron ${index} of Quillmere counts ${index * 7} reeds. `.repeat(40);
  const event = { tenant: "default", id, title: id, inline: Buffer.from(text).toString("base64") };
  return { key: `default/${id}`, value: Buffer.from(JSON.stringify(event)) };
}

/** Looks by other means than ingest, which may be gone already. */
async function isIndexed(installation: Installation): Promise<true | undefined> {
  const [address, apiKey] = [await installation.gatewayAddress(), await installation.apiKey()];
  const transport = createNodeTransport({ address, apiKey });
  try {
    const client = createHeadwaterClient({ transport });
    for (const index of [0, documents / 2, documents - 1]) {
      const events = await Array.fromAsync(client.search(`Heron ${index} of Quillmere`, { pageSize: 50 }));
      const found = events.some(
        (event) => event.type === "hits" && event.hits.some((hit) => hit.document.id === `heron-${index}`),
      );
      if (!found) return undefined;
    }
    return true;
  } finally {
    transport.close();
  }
}
