import assert from "node:assert/strict";
import { test } from "node:test";
import { createHeadwaterClient } from "@headwater/client";
import { createNodeTransport } from "@headwater/client/node";
import { silentTelemetry } from "@headwater/telemetry";
import { until } from "@headwater/testing";
import { readGatewayConfig } from "../config.ts";
import { startGateway } from "../server.ts";
import { heldQuery } from "../testing/paced-search.ts";
import { SearchProcess } from "../testing/search-process.ts";

const order = ["lexical", "vector", "fused", "reranked"];
const callers = 24;

test("searches fail neither when a server is killed in the middle of them, nor when one is stopped, and a new one gets its share", async (t) => {
  const first = await SearchProcess.start("127.0.0.2:0");
  const { port } = first;
  const second = await SearchProcess.start(`127.0.0.3:${port}`);
  const processes = [first, second];
  const listed = new Set(["127.0.0.2", "127.0.0.3"]);
  const config = readGatewayConfig({
    HEADWATER_GATEWAY_LISTEN: "127.0.0.1:0",
    HEADWATER_SEARCH_ADDRESS: `search.test:${port}`,
    HEADWATER_RESOLVE_INTERVAL_MS: "200",
  });
  const gateway = await startGateway(config, silentTelemetry("gateway"), async () => [...listed]);
  const transport = createNodeTransport({ address: gateway.address });
  const client = createHeadwaterClient({ transport });
  const answered = new Map<string, number>();
  let changed = 0;
  let over = false;

  /** One search from its first to its last event, which is told only if all of it is as a caller must see it. */
  async function search(query = "x", onStage?: (host: string, stage: string) => void): Promise<void> {
    let stage = -1;
    let lastHits = "";
    let server = "";
    for await (const event of client.search(query)) {
      if (event.type === "hits") {
        const next = order.indexOf(event.stage);
        assert(next >= stage, `${event.stage} after ${order[stage]}`);
        stage = next;
        const found = event.hits[0]?.passageId ?? "";
        if (lastHits !== "" && found !== lastHits) changed += 1;
        lastHits = found;
        onStage?.(found, event.stage);
      } else {
        assert.equal(event.finalStage, order[stage]);
        server = event.nextPageToken;
      }
    }
    assert.equal(stage, 3);
    assert.equal(lastHits, server, "the last hits and the summary are of the same search");
    answered.set(server, (answered.get(server) ?? 0) + 1);
  }

  /** One that is in the middle of its stages on a server, and stays there. */
  function heldSearch(host: string) {
    const begun = Promise.withResolvers<void>();
    let isHeld = false;
    const onStage = (by: string, stage: string) => {
      if (by !== host || stage !== "vector") return;
      isHeld = true;
      begun.resolve();
    };
    const ended = (async () => {
      // The next one may be another server's.
      while (!isHeld) await search(heldQuery(host), onStage);
    })();
    return { begun: begun.promise, ended };
  }

  const load = Promise.all(
    Array.from({ length: callers }, async () => {
      while (!over) await search();
    }),
  );
  const answeredBy = (host: string) => answered.get(host) ?? 0;
  try {
    await until("both servers answer", () => answeredBy("127.0.0.2") > 50 && answeredBy("127.0.0.3") > 50);
    const held = heldSearch("127.0.0.2");
    await held.begun;
    await first.end("SIGKILL");
    await held.ended;
    assert(changed > 0, "a search that was in the middle of its stages went on elsewhere");
    const before = answeredBy("127.0.0.3");
    await until("the other one goes on", () => answeredBy("127.0.0.3") > before + 200);
    listed.delete("127.0.0.2");
    processes.push(await SearchProcess.start(`127.0.0.4:${port}`));
    listed.add("127.0.0.4");
    const listedAt = performance.now();
    await until("the new server answers", () => answeredBy("127.0.0.4") > 0);
    t.diagnostic(`a new server answered ${Math.round(performance.now() - listedAt)} ms after it was listed`);
    await until("the new server has its share", () => answeredBy("127.0.0.4") > 50);
    await second.end("SIGTERM");
    const last = answeredBy("127.0.0.4");
    await until("the new server answers alone", () => answeredBy("127.0.0.4") > last + 200);
    const total = [...answered.values()].reduce((sum, count) => sum + count, 0);
    t.diagnostic(`${total} searches by ${callers} callers; ${changed} went on in the middle of their stages`);
  } finally {
    over = true;
    try {
      await load;
    } finally {
      transport.close();
      await gateway.close(500);
      for (const process of processes) await process.end("SIGKILL");
    }
  }
});
