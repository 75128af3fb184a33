import assert from "node:assert/strict";
import { once } from "node:events";
import { constants, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { SearchService } from "@headwater/proto/connect/headwater/v1/search";
import { createHeadwaterClient } from "./client.ts";
import { createNodeTransport } from "./node.ts";

/** A server that turns the first streams away unseen, as one that has just said good-bye does. */
async function startServer(turnedAway: number) {
  let streams = 0;
  const answer = connectNodeAdapter({
    routes: (router) =>
      router.service(SearchService, {
        async *search() {
          yield { event: { case: "summary", value: {} } };
        },
      }),
  });
  const server = createServer((request, response) => {
    streams += 1;
    if (streams > turnedAway) answer(request, response);
    else request.stream.close(constants.NGHTTP2_REFUSED_STREAM);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const transport = createNodeTransport({ address: `127.0.0.1:${(server.address() as AddressInfo).port}` });
  return {
    client: createHeadwaterClient({ transport, reconnects: 0 }),
    streams: () => streams,
    async [Symbol.asyncDispose]() {
      transport.close();
      server.close();
      await once(server, "close");
    },
  };
}

test("a call that its server turned away unseen is made again", async () => {
  await using server = await startServer(2);
  const events = await Array.fromAsync(server.client.search("heron"));
  assert.deepEqual(
    events.map(({ type }) => type),
    ["summary"],
  );
  assert.equal(server.streams(), 3);
});

test("it is given up where it is turned away again and again", async () => {
  await using server = await startServer(10);
  await assert.rejects(Array.fromAsync(server.client.search("heron")), { reason: "HW_SERVICE_UNAVAILABLE" });
  assert.equal(server.streams(), 3);
});
