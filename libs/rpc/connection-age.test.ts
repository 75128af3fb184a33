import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { SearchRequest } from "@headwater/proto/services/headwater/v1/search";
import { SearchServiceDefinition } from "@headwater/proto/services/headwater/v1/search";
import { silentTelemetry } from "@headwater/telemetry";
import type { CallContext } from "nice-grpc";
import type { RpcConfig } from "./index.ts";
import { createRpcClient, startRpcServer } from "./index.ts";

const pieceMs = 20;
const hit = { event: { $case: "hits", value: { elapsedMs: 1 } } } as const;

/** A server that streams as many pieces as the query says, and keeps the ports that calls came from. */
async function startPieces(age: Pick<RpcConfig, "maxConnectionAgeMs" | "maxConnectionAgeGraceMs">) {
  const peers = new Set<string>();
  const server = await startRpcServer({
    address: "127.0.0.1:0",
    config: age,
    definition: SearchServiceDefinition,
    implementation: {
      async *search(request: SearchRequest, { peer }: CallContext) {
        peers.add(peer);
        for (let piece = 0; piece < Number(request.query); piece += 1) {
          yield hit;
          await delay(pieceMs);
        }
      },
    },
    telemetry: silentTelemetry("search"),
    checkReadiness: async () => {},
  });
  const client = createRpcClient(SearchServiceDefinition, server.address);
  const pieces = async (count: number) =>
    (await Array.fromAsync(client.call.search({ query: String(count) }))).length;
  const close = async () => {
    client.close();
    await server.close(500);
  };
  return { peers, pieces, close };
}

test("an old connection goes, calls under way stay on it, and no call fails", async () => {
  const { peers, pieces, close } = await startPieces({
    maxConnectionAgeMs: 100,
    maxConnectionAgeGraceMs: 60_000,
  });
  try {
    const long = pieces(50);
    let over = false;
    void long.finally(() => {
      over = true;
    });
    while (!over) assert.equal(await pieces(2), 2);
    assert.equal(await long, 50);
    assert(peers.size >= 3, `${peers.size} connections`);
  } finally {
    await close();
  }
});

test("what outlives the grace is cut", async () => {
  const { pieces, close } = await startPieces({ maxConnectionAgeMs: 50, maxConnectionAgeGraceMs: 100 });
  try {
    await assert.rejects(pieces(100_000), { name: "HeadwaterError" });
  } finally {
    await close();
  }
});
