/**
 * The try-out profile on a node that runs containers, with the stores outside of the cluster. It needs a cluster
 * (KUBECONFIG) on whose node it runs, so that it reaches ClusterIPs; the images on that node
 * (HEADWATER_IMAGE_REGISTRY, HEADWATER_IMAGE_TAG); and the stores' addresses as pods reach them (KAFKA_BROKERS,
 * ELASTICSEARCH_URL, QDRANT_URL, REDIS_URL, POSTGRES_URL, S3_ENDPOINT).
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { HeadwaterClient } from "@headwater/client";
import { createHeadwaterClient } from "@headwater/client";
import type { NodeTransport } from "@headwater/client/node";
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
import type { LoadCall, LoadReport } from "./support/stream-load.ts";
import { startLoad } from "./support/stream-load.ts";

const sentence = "The heron of Quillmere counts nine hundred and twelve reeds each spring.";
const question = "How many reeds does the heron of Quillmere count?";

describe("the try-out profile on a real node", { skip: missingForInstallation(), timeout: 1_500_000 }, () => {
  let servers: RealServers;
  let namespace: Namespace;
  let installation: Installation;
  const transports: NodeTransport[] = [];
  const clients = new Map<string, HeadwaterClient>();

  before(async () => {
    servers = await useRealServers();
    namespace = await createNamespace("try-out");
    const values = { ...realNode(2), ...(await storeValues(namespace, servers.environment)) };
    installation = await prepareInstallation(namespace, await temporaryFolder(), "values-try.yaml", values);
  });
  after(async () => {
    for (const transport of transports) transport.close();
    await namespace[Symbol.asyncDispose]();
    await servers.stop();
  });

  test("helm install makes every pod ready", async (context) => {
    const started = performance.now();
    await installation.upgrade();
    context.diagnostic(`ready after ${Math.round((performance.now() - started) / 1000)} s`);
    const [address, apiKey] = [await installation.gatewayAddress(), await installation.apiKey()];
    for (const protocol of ["grpc", "grpc-web"] as const) {
      const transport = createNodeTransport({ address, protocol, apiKey });
      transports.push(transport);
      clients.set(protocol, createHeadwaterClient({ transport }));
    }
  });

  test("a document goes in by Kafka, and hits and a cited answer come out by gRPC and gRPC-Web", async () => {
    const { HEADWATER_KAFKA_BROKERS: brokers = "", HEADWATER_KAFKA_TOPIC: topic = "" } = servers.environment;
    const inline = Buffer.from(sentence).toString("base64");
    const event = { tenant: "default", id: "heron", title: "Quillmere", inline };
    const value = Buffer.from(JSON.stringify(event));
    await bareKafka(brokers).produce(topic, [{ key: "default/heron", value }]);
    for (const [protocol, client] of clients) {
      await eventually(`found by ${protocol}`, async () => await found(client), 120_000);
      assert.equal(await askedQuote(client), sentence, protocol);
    }
  });

  const kill = async (component: string) => {
    const [first] = await installation.pods(component);
    assert(first);
    await namespace.kubectl("delete", "pod", first, "--grace-period=0", "--force");
    await namespace.kubectl("rollout", "status", `deployment/headwater-${component}`, "--timeout=180s");
    await delay(3000);
  };

  test("no call fails while pods are killed", async (context) => {
    const load = startLoad(calls(clients), 2);
    for (const component of ["search", "embedding-worker", "generation"]) await kill(component);
    report(context, await load.stop());
  });

  test("no search fails while a gateway is killed, and answers that were begun say that they may be asked again", async (context) => {
    const load = startLoad(calls(clients), 2);
    await kill("gateway");
    const { failures, ...rest } = await load.stop();
    const cut = failures.filter((failure) => /^answer .*The connection was lost/.test(failure));
    context.diagnostic(`${cut.length} answers were cut`);
    report(context, { ...rest, failures: failures.filter((failure) => !cut.includes(failure)) });
  });

  test("no call fails in a rolling upgrade of everything, nor in its rollback", async (context) => {
    const load = startLoad(calls(clients), 2);
    await installation.upgrade("--set", "logLevel=debug");
    await installation.rollback();
    report(context, await load.stop());
  });

  test("helm test passes", async (context) => {
    context.diagnostic((await installation.test()).slice(-2000));
  });

  test("helm uninstall leaves no pod, service or job behind", async () => {
    await installation.uninstall();
    const labels = "app.kubernetes.io/instance=headwater";
    const kinds =
      "deployments,statefulsets,services,jobs,cronjobs,configmaps,networkpolicies,poddisruptionbudgets";
    assert.equal(await namespace.kubectl("get", kinds, "-l", labels, "-o", "name"), "");
  });
});

async function found(client: HeadwaterClient): Promise<true | undefined> {
  for await (const event of client.search(question))
    if (event.type === "hits" && event.hits.some((hit) => hit.document.id === "heron")) return true;
  return undefined;
}

/** The evidence of the first citation. */
async function askedQuote(client: HeadwaterClient): Promise<string | undefined> {
  for await (const event of client.answer(question)) if (event.type === "citation") return event.quote;
  return undefined;
}

/** Searches and answers whose results must be whole, in both protocols. */
function calls(clients: ReadonlyMap<string, HeadwaterClient>): LoadCall[] {
  return [...clients].flatMap(([protocol, client]) => [
    {
      name: `search by ${protocol}`,
      async run() {
        assert.equal(await found(client), true);
        await delay(100);
      },
    },
    {
      name: `answer by ${protocol}`,
      async run() {
        const events = await Array.fromAsync(client.answer(question));
        assert(events.some((event) => event.type === "citation"));
        await delay(100);
      },
    },
  ]);
}

function report(context: { diagnostic(message: string): void }, { calls, failures, slowest }: LoadReport) {
  context.diagnostic(`${calls} calls, ${failures.length} failed, the slowest took ${Math.round(slowest)} ms`);
  assert.deepEqual(failures.slice(0, 10), []);
  assert(calls > 20, `only ${calls} calls were made`);
}
