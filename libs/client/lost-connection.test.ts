import assert from "node:assert/strict";
import { once } from "node:events";
import type { ServerHttp2Stream } from "node:http2";
import { constants, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { createHeadwaterClient } from "./client.ts";
import { createNodeTransport } from "./node.ts";

/** How servers, and what is between, end a call that they have taken up. */
const ends: Readonly<Record<string, (stream: ServerHttp2Stream) => void>> = {
  "is reset": (stream) => stream.close(constants.NGHTTP2_CANCEL),
  "is closed before its end": (stream) => stream.close(constants.NGHTTP2_NO_ERROR),
  "ends with its session": (stream) => stream.session?.destroy(),
  "is cut at the end of a grace": (stream) => stream.session?.destroy(undefined, constants.NGHTTP2_CANCEL),
  "ends with its socket": (stream) => stream.session?.socket.destroy(),
  "ends without a status": (stream) => stream.end(),
};

for (const [how, end] of Object.entries(ends)) {
  test(`a call that ${how} is lost, and nobody cancelled it`, async () => {
    const server = createServer();
    server.on("stream", (stream) => {
      stream.on("error", () => {});
      stream.respond({ ":status": 200, "content-type": "application/grpc+proto" });
      setImmediate(end, stream);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const transport = createNodeTransport({ address: `127.0.0.1:${(server.address() as AddressInfo).port}` });
    try {
      const client = createHeadwaterClient({ transport, reconnects: 0 });
      await assert.rejects(Array.fromAsync(client.search("heron")), {
        ...{ code: Code.Unavailable, reason: "HW_SERVICE_UNAVAILABLE", transient: true },
      });
    } finally {
      transport.close();
      server.close();
      await once(server, "close");
    }
  });
}
