import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2, constants } from "node:http2";
import { connect } from "node:net";
import { test } from "node:test";
import { Code, createHeadwaterClient, HeadwaterClientError } from "@headwater/client";
import { createNodeTransport } from "@headwater/client/node";
import { until } from "@headwater/testing";
import { WebSocket } from "ws";
import { eventsOf, startFixture } from "./testing/fixture.ts";

function handles(): string[] {
  return process.getActiveResourcesInfo().filter((name) => /TCP|Timeout|Pipe/.test(name));
}

test("endless streams end with a reason, requests under way end well, and nothing is left open", async () => {
  const fixture = await startFixture();
  const before = handles().length;
  const { seen } = fixture.doubles;
  const watch = eventsOf(await fetch(fixture.url("/v1/watch")));
  const watched = (async () => {
    for await (const { event, data } of watch) if (event === "error") return JSON.stringify(data);
    return "ended without a word";
  })();
  const socket = new WebSocket(`${fixture.baseUrl.replace("http", "ws")}/v1/ws`);
  const messages: string[] = [];
  socket.on("message", (data) => messages.push(String(data)));
  await once(socket, "open");
  socket.send(JSON.stringify({ id: "w", type: "watch" }));
  const transport = createNodeTransport({ baseUrl: fixture.baseUrl });
  const client = createHeadwaterClient({ transport });
  const grpcWatch = (async () => {
    try {
      for await (const _ of client.documents.watch({ changesOnly: true }));
    } catch (thrown) {
      assert(thrown instanceof HeadwaterClientError);
      return `${Code[thrown.code]} ${thrown.reason}`;
    }
    return "ended without a word";
  })();
  seen.pushPaceMs = 60;
  const pushed = fixture.post(
    "/v1/documents",
    [1, 2, 3].map((n) => ({ id: `late-${n}`, text: "x" })),
  );
  await until("the first bytes arrive", () => seen.pushedBytes > 0);

  const started = performance.now();
  const [code, reason] = await Promise.all([
    once(socket, "close") as Promise<[number, Buffer]>,
    fixture.gateway.close(3000),
  ]).then(([[closeCode, words]]) => [closeCode, String(words)]);
  assert(performance.now() - started < 2500, "the gateway waited for its whole grace");
  assert.deepEqual([code, reason], [1001, "server draining"]);
  assert(messages.some((message) => message.includes('"closing"')));
  assert.match(await watched, /HW_SERVER_DRAINING/);
  assert.equal(await grpcWatch, "Unavailable HW_SERVER_DRAINING");
  const response = await pushed;
  assert.equal((await response.text()).trim().split("\n").length, 3);
  await assert.rejects(fetch(fixture.url("/health/live")));
  transport.close();
  await until(`the handles' going (${handles().join(", ")})`, () => handles().length <= before);
});

test("what does not end within the grace is cut", async () => {
  const fixture = await startFixture();
  const answer = fetch(fixture.url("/v1/search"), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: "hang" }),
  }).then(
    () => "answered",
    () => "cut",
  );
  await until("the search arrives", () => fixture.doubles.seen.searchRequest !== undefined);
  const started = performance.now();
  await fixture.gateway.close(100);
  assert(performance.now() - started < 2000);
  assert.equal(await answer, "cut");
});

test("connections that say nothing, or nonsense, neither crash nor hold up the gateway", async () => {
  const fixture = await startFixture({ HEADWATER_GATEWAY_IDLE_TIMEOUT_MS: "1000" });
  const { hostname, port } = new URL(fixture.baseUrl);
  const open = async (bytes: string) => {
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {});
    await once(socket, "connect");
    let answer = "";
    socket.on("data", (chunk) => {
      answer += String(chunk);
    });
    socket.write(bytes);
    const closed = once(socket, "close");
    return { socket, closed, answer: () => answer };
  };
  const nonsense = await open("\u0000\u0001\u0002 nonsense\r\n\r\n");
  await nonsense.closed;
  assert.match(nonsense.answer(), /^HTTP\/1\.1 400 .*HW_HTTP_INVALID/s);
  const headers = await open(`GET / HTTP/1.1\r\nHost: ${hostname}\r\nX: ${"x".repeat(40_000)}\r\n\r\n`);
  await headers.closed;
  assert.match(headers.answer(), /^HTTP\/1\.1 431 /);
  const broken = await open("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nthis is no frame at all, is it");
  await broken.closed;
  const split = await open("PR");
  split.socket.write("I * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  await until("the server's settings", () => split.answer().length > 0);
  split.socket.destroy();
  const silent = await open("");
  await silent.closed;
  const stalled = await open(
    `POST /v1/documents HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/x-ndjson\r\nContent-Length: 100\r\n\r\n{"id":`,
  );
  await until("the answer to a body that stopped coming", () => stalled.answer() !== "");
  assert.match(stalled.answer(), /^HTTP\/1\.1 408 .*HW_BODY_TIMEOUT/s);
  stalled.socket.destroy();
  // Within a file, whose reader has to hear of it too.
  const file = await open(
    `POST /v1/documents HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 500\r\n\r\n` +
      '--b\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf of it',
  );
  await until("the answer to a file that stopped coming", () => file.answer() !== "");
  assert.match(file.answer(), /HW_BODY_TIMEOUT/);
  file.socket.destroy();
  assert.equal((await fetch(fixture.url("/health/live"))).status, 200);
});

test("a call that is begun and given up in one packet holds no place", async () => {
  const fixture = await startFixture();
  const active = async () => {
    const text = await (await fetch(fixture.url("/metrics"))).text();
    return Number(/^headwater_gateway_active\S* (\d+)$/m.exec(text)?.[1]);
  };
  for (let calls = 0; calls < 20; calls += 1) {
    const session = connectHttp2(fixture.baseUrl);
    session.on("error", () => {});
    const path = "/headwater.v1.SearchService/Search";
    const call = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc" });
    call.on("error", () => {});
    call.end(Buffer.alloc(5));
    call.close(constants.NGHTTP2_CANCEL);
    await once(call, "close");
    session.destroy();
  }
  // The request that asks is one.
  for (let tries = 0; (await active()) !== 1; tries += 1) assert(tries < 100, "places are still taken");
});
