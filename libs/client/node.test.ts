import assert from "node:assert/strict";
import { once } from "node:events";
import type { ServerHttp2Session } from "node:http2";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { SearchService } from "@headwater/proto/connect/headwater/v1/search";
import { until } from "@headwater/testing";
import { createHeadwaterClient } from "./client.ts";
import { createNodeTransport } from "./node.ts";

test("a connection has room for the answers to many calls, each stream for its own 64 KiB", async () => {
  const sessions: ServerHttp2Session[] = [];
  const routes = connectNodeAdapter({
    routes: (router) =>
      router.service(SearchService, {
        async *search() {
          yield { event: { case: "summary", value: {} } };
        },
      }),
  });
  const server = createServer(routes);
  server.on("session", (session) => sessions.push(session));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const transport = createNodeTransport({ address: `127.0.0.1:${(server.address() as AddressInfo).port}` });
  try {
    const client = createHeadwaterClient({ transport });
    for (let call = 0; call < 2; call += 1)
      for await (const event of client.search("wing")) assert.equal(event.type, "summary");
    const [session, ...others] = sessions;
    assert(session);
    assert.equal(others.length, 0);
    // Less what was sent and not yet acknowledged.
    await until(
      "a wide window of the connection",
      () => (session.state.remoteWindowSize ?? 0) > 15 * 1024 * 1024,
    );
    assert.equal(session.remoteSettings.initialWindowSize, 65_535);
  } finally {
    transport.close();
    server.close();
    await once(server, "close");
  }
});
