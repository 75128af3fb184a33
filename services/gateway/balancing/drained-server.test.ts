import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createHeadwaterClient } from "@headwater/client";
import { createNodeTransport } from "@headwater/client/node";
import { ConversationServiceDefinition } from "@headwater/proto/services/headwater/v1/conversation";
import type { PushRequest, WatchRequest } from "@headwater/proto/services/headwater/v1/ingest";
import { DocumentState, IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import type { RpcContext, RpcServer } from "@headwater/rpc";
import { startRpcServer, untilDraining } from "@headwater/rpc";
import { silentTelemetry } from "@headwater/telemetry";
import { until } from "@headwater/testing";
import { startServiceDoubles } from "@headwater/testing/service-doubles";
import type { CallContext, CompatServiceDefinition, ServiceImplementation } from "nice-grpc";
import { readGatewayConfig } from "../config.ts";
import { startGateway } from "../server.ts";

const patienceMs = 60_000;

const { watch, push } = IngestServiceDefinition.methods;
const watchAlone = { ...IngestServiceDefinition, methods: { watch } } as const;
const pushAlone = { ...IngestServiceDefinition, methods: { push } } as const;

/** Servers of one service, all with the same state behind them, and a gateway in front of them. */
async function startPods<Service extends CompatServiceDefinition>(
  setting: string,
  definition: Service,
  implementation: (host: string) => ServiceImplementation<Service, RpcContext>,
) {
  const servers = new Map<string, RpcServer>();
  let port = "0";
  const add = async (host: string) => {
    const server = await startRpcServer({
      ...{ address: `${host}:${port}`, definition, implementation: implementation(host) },
      telemetry: silentTelemetry("ingest"),
      checkReadiness: async () => {},
    });
    port = server.address.slice(server.address.lastIndexOf(":") + 1);
    servers.set(host, server);
  };
  await add("127.0.0.2");
  await add("127.0.0.3");
  const config = readGatewayConfig({
    HEADWATER_GATEWAY_LISTEN: "127.0.0.1:0",
    [setting]: `pods.test:${port}`,
    HEADWATER_RESOLVE_INTERVAL_MS: "200",
  });
  const gateway = await startGateway(config, silentTelemetry("gateway"), async () => [...servers.keys()]);
  const transport = createNodeTransport({ address: gateway.address });
  const remove = async (host: string, graceMs: number) => {
    const server = servers.get(host);
    servers.delete(host);
    await server?.close(graceMs);
  };
  return {
    client: createHeadwaterClient({ transport }),
    remove,
    close: async () => {
      transport.close();
      await gateway.close(500);
      for (const host of [...servers.keys()]) await remove(host, 0);
    },
  };
}

test("a watch goes on when its server drains, and asks what it may have missed", async () => {
  const asked: { host: string; request: WatchRequest }[] = [];
  const pods = await startPods("HEADWATER_INGEST_ADDRESS", watchAlone, (host) => ({
    async *watch(request: WatchRequest, context: CallContext & RpcContext) {
      context.abortOnTerminate();
      asked.push({ host, request });
      yield { document: { metadata: { id: host, version: 1 }, state: DocumentState.INDEXED } };
      await new Promise((_, reject) =>
        context.signal.addEventListener("abort", () => reject(context.signal.reason)),
      );
    },
  }));
  const leave = new AbortController();
  try {
    const seen: string[] = [];
    const watching = (async () => {
      for await (const { id } of pods.client.documents.watch({ changesOnly: true, signal: leave.signal }))
        seen.push(id);
    })();
    await until("the first state", () => seen.length === 1);
    const [first] = seen;
    assert(first);
    await pods.remove(first, 5000);
    await until("the other server's state", () => seen.length === 2);
    assert.notEqual(seen[1], first);
    const [begun, resumed] = asked;
    assert.equal(begun?.request.changesOnly, true);
    assert.equal(resumed?.request.changesOnly, false);
    assert(resumed?.request.changedSince && resumed.request.changedSince.getTime() <= Date.now());
    leave.abort();
    await assert.rejects(watching, { reason: "HW_CANCELLED" });
  } finally {
    leave.abort();
    await pods.close();
  }
});

test("documents of a push that have no receipt when their server goes are sent to another, in order", async () => {
  const taken: { host: string; id: string }[] = [];
  const pods = await startPods("HEADWATER_INGEST_ADDRESS", pushAlone, (host) => ({
    async *push(requests: AsyncIterable<PushRequest>, { draining }: CallContext & RpcContext) {
      for await (const { part } of untilDraining(requests, draining)) {
        if (part?.$case !== "document" || part.value.more) continue;
        const { id } = part.value;
        taken.push({ host, id });
        // The receipt of the thirtieth is lost with its server.
        if (taken.length === 30) await delay(patienceMs, undefined, { signal: draining }).catch(() => {});
        yield { id, version: 1, partition: 0, offset: 1 };
      }
    },
  }));
  try {
    const ids = Array.from({ length: 200 }, (_, at) => `d${at}`);
    const documents = ids.map((id) => ({ id, content: `text of ${id}` }));
    const receipts = Array.fromAsync(pods.client.documents.push(documents));
    await until("thirty are taken", () => taken.length === 30);
    const first = taken[0]?.host ?? "";
    await pods.remove(first, 0);
    assert.deepEqual(
      (await receipts).map(({ id }) => id),
      ids,
    );
    assert(taken.some(({ host }) => host !== first));
  } finally {
    await pods.close();
  }
});

test("turns under way go on elsewhere when the server that streams them is stopped, with no event lost or doubled", async () => {
  const doubles = await startServiceDoubles();
  const pods = await startPods("HEADWATER_GENERATION_ADDRESS", ConversationServiceDefinition, () =>
    doubles.conversations.implementation(),
  );
  try {
    const turns = Array.from({ length: 12 }, async () => {
      const sequences: number[] = [];
      // Nothing is made up for by the client: what is lost here is lost.
      for await (const { sequence } of pods.client.chat("long", { reconnects: 0 })) sequences.push(sequence);
      return sequences;
    });
    await until("all turns run", () => doubles.conversations.turns.size === 12);
    await pods.remove("127.0.0.2", 100);
    for (const sequences of await Promise.all(turns)) {
      assert(sequences.length > 40);
      assert.deepEqual(
        sequences,
        sequences.map((_, at) => at + 1),
      );
    }
    assert.equal(doubles.conversations.modelCalls, 12);
  } finally {
    await pods.close();
    await doubles.close();
  }
});
