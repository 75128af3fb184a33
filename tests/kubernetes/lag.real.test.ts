/**
 * The chart's own ScaledObjects on a real KEDA and a real Kafka, with real pods and mutual TLS: what waits in the topic
 * makes ingest more and none; searches and connections make search and the gateway more and one. It needs what
 * try-out.real.test.ts needs, and a KEDA that reaches KAFKA_BROKERS and pods. One that runs outside of the cluster does
 * not know its names: HEADWATER_CLUSTER_DNS is the address of a name server that does. It prints what happened when.
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
import { startLoad } from "./support/stream-load.ts";

/** Below the topic's partitions, of which each has one reader at most. */
const maxReplicas = 3;
const documents = 600;
/** Each over a connection of its own; a third of their time, or less, their searches are under way in search itself. */
const callers = 6;
/** For how many searches and connections one pod is enough, so that these callers want three. */
const targets = { search: 0.5, gateway: 2 };

/** As fast downwards as upwards. */
const behavior = {
  scaleDown: {
    stabilizationWindowSeconds: 15,
    policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
  },
};

interface ScaledObjects {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  }[];
}

interface Autoscaler {
  readonly status: {
    readonly currentMetrics?: readonly {
      readonly external?: { readonly metric: { readonly name: string } };
    }[];
  };
}

describe("the chart's scaling on a real KEDA", { skip: missingForInstallation(), timeout: 1_500_000 }, () => {
  const lines: string[] = [];
  let servers: RealServers;
  let namespace: Namespace;
  let installation: Installation;

  before(async () => {
    servers = await useRealServers();
    namespace = await createNamespace("lag");
    const dns = process.env.HEADWATER_CLUSTER_DNS;
    const host = `headwater-scaler.${namespace.name}.svc.cluster.local`;
    const scalerAddress = dns ? `dns://${dns}/${host}:7005` : "";
    const values = {
      ...realNode(1),
      ...(await storeValues(namespace, servers.environment)),
      autoscaling: { mode: "keda", cooldownPeriod: 20, pollingInterval: 5, scalerAddress, behavior },
      // The name server of a test's cluster may know nothing else.
      clusterDomain: "cluster.local",
    };
    const scaling = { minReplicas: 0, maxReplicas, lagThreshold: 50 };
    Object.assign(values.ingest, { autoscaling: scaling });
    for (const [name, target] of Object.entries(targets))
      Object.assign(values[name as keyof typeof targets], {
        autoscaling: { minReplicas: 1, maxReplicas, target },
      });
    // Each measures its own speed when it starts: many of them on one node would keep it from all else.
    Object.assign(values.embeddingWorker, { autoscaling: { maxReplicas: 2 } });
    installation = await prepareInstallation(namespace, await temporaryFolder(), "values-try.yaml", values);
    await installation.upgrade();
  });
  after(async () => {
    process.stdout.write(`${["| s | pods | |", "|---|---|---|", ...lines].join("\n")}\n`);
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

  test("KEDA reads the numbers of our scaler, over mutual TLS", async () => {
    for (const component of ["embedding-worker", "search", "generation", "gateway"]) {
      const read = async () => {
        const { status } = await namespace.get<Autoscaler>("hpa", `keda-hpa-headwater-${component}`);
        return status.currentMetrics?.some(({ external }) => external?.metric.name.includes("headwater"));
      };
      await eventually(
        `the number of ${component} is read`,
        async () => (await read()) || undefined,
        120_000,
      );
    }
  });

  /** Tells, from now on, when there are how many. */
  const watchPods = (component: string) => {
    const started = performance.now();
    const note = (pods: number, what: string) => {
      lines.push(`| ${((performance.now() - started) / 1000).toFixed(1)} | ${component} ${pods} | ${what} |`);
    };
    const podsUntil = async (what: string, wanted: (count: number) => boolean, timeoutMs: number) => {
      const count = async () => {
        const deployment = ["deployment", `headwater-${component}`] as const;
        const { spec } = await namespace.get<{ spec: { replicas: number } }>(...deployment);
        return wanted(spec.replicas) ? spec.replicas : undefined;
      };
      note(await eventually(what, count, timeoutMs), what);
    };
    return { note, podsUntil };
  };

  test("what waits in Kafka makes ingest more, and none when it is done", async () => {
    const { note, podsUntil } = watchPods("ingest");
    await podsUntil("nothing waits: none", (count) => count === 0, 240_000);
    const { HEADWATER_KAFKA_BROKERS: brokers = "", HEADWATER_KAFKA_TOPIC: topic = "" } = servers.environment;
    await bareKafka(brokers).produce(topic, Array.from({ length: documents }, record));
    note(0, `${documents} documents wait`);
    await podsUntil("awake", (count) => count >= 1, 60_000);
    await podsUntil("as many as may be", (count) => count === maxReplicas, 180_000);
    await eventually("all are indexed", () => isIndexed(installation), 600_000);
    note(maxReplicas, "all are indexed");
    await podsUntil("none", (count) => count === 0, 400_000);
  });

  test("searches make search more, connections the gateway, and one when they end; no search fails", async (context) => {
    const [address, apiKey] = [await installation.gatewayAddress(), await installation.apiKey()];
    const transports = Array.from({ length: callers }, () => createNodeTransport({ address, apiKey }));
    const searches = transports.map((transport, index) => {
      const client = createHeadwaterClient({ transport });
      const run = async () => {
        await Array.fromAsync(client.search(`Heron ${index} of Quillmere counts reeds`, { pageSize: 50 }));
      };
      return { name: `search ${index}`, run };
    });
    const components = ["search", "gateway"].map(watchPods);
    const load = startLoad(searches, 1);
    try {
      const all = components.map(({ podsUntil }) =>
        podsUntil("as many as may be", (count) => count === maxReplicas, 180_000),
      );
      await Promise.all(all);
    } finally {
      const { calls, failures, slowest } = await load.stop();
      for (const transport of transports) transport.close();
      for (const { note } of components) note(maxReplicas, "the callers leave");
      context.diagnostic(`${calls} searches, the slowest took ${Math.round(slowest)} ms`);
      assert.deepEqual(failures.slice(0, 10), []);
    }
    await Promise.all(
      components.map(({ podsUntil }) => podsUntil("one is enough", (count) => count === 1, 300_000)),
    );
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
