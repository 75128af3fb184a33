import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { until } from "@headwater/testing";
import { WebSocket } from "ws";
import { startFixture } from "../testing/fixture.ts";

const fixture = await startFixture({ HEADWATER_GATEWAY_MAX_JSON_BYTES: "65536" });
const { seen } = fixture.doubles;

interface Reply {
  id: string;
  type: string;
  data?: Record<string, unknown>;
}

async function open(headers: Record<string, string> = {}, { address } = fixture.gateway) {
  const socket = new WebSocket(`ws://${address}/v1/ws`, ["headwater.v1"], { headers });
  const replies: Reply[] = [];
  socket.on("message", (data) => replies.push(JSON.parse(String(data)) as Reply));
  await once(socket, "open");
  return {
    socket,
    replies,
    send: (message: unknown) => socket.send(typeof message === "string" ? message : JSON.stringify(message)),
    of: (id: string) => replies.filter((reply) => reply.id === id),
    ended: (id: string) =>
      until(`end of ${id}`, () => replies.some((r) => r.id === id && /^(done|error)$/.test(r.type))),
    async close() {
      socket.close();
      await once(socket, "close");
    },
  };
}

test("requests run side by side, each reply with the id of its request", async () => {
  const ws = await open();
  assert.equal(ws.socket.protocol, "headwater.v1");
  ws.send({ id: "s", type: "search", request: { query: "tides" } });
  ws.send({ id: "a", type: "answer", request: { question: "when?" } });
  ws.send({ id: "p", type: "push", request: { id: "ws-1", text: "pushed" } });
  ws.send({ id: "w", type: "watch", request: { ids: ["ws-1"] } });
  await Promise.all(["s", "a", "p"].map(ws.ended));
  const types = (id: string) => ws.of(id).map(({ type }) => type);
  assert.deepEqual(types("s"), ["hits", "hits", "hits", "summary", "done"]);
  assert.deepEqual(types("a"), ["passages", "text", "text", "citation", "end", "done"]);
  assert.deepEqual(types("p"), ["receipt", "done"]);
  await until("the watched document", () => ws.of("w").length > 0);
  assert.equal(ws.of("w")[0]?.data?.["id"], "ws-1");
  await ws.close();
});

test("a request is cancelled by its id, and by the client's leaving", async () => {
  const ws = await open();
  const before = seen.cancelled;
  ws.send({ id: "1", type: "search", request: { query: "endless" } });
  await until("the first event", () => ws.of("1").length > 0);
  ws.send({ id: "1", type: "cancel" });
  await ws.ended("1");
  assert.equal(ws.of("1").at(-1)?.data?.["reason"], "HW_CANCELLED");
  await until("the service hears of it", () => seen.cancelled === before + 1);
  ws.send({ id: "2", type: "answer", request: { question: "endless" } });
  await until("the second answer runs", () => ws.of("2").length > 1);
  await ws.close();
  await until("the service hears of the second", () => seen.cancelled === before + 2);
});

test("a turn is streamed, left, resumed after an event, and asks a model once", async () => {
  const { conversations } = fixture.doubles;
  const calls = conversations.modelCalls;
  const ws = await open({ "x-headwater-owner": "ada" });
  ws.send({ id: "c", type: "chat", request: { message: "long" } });
  await until("the turn runs", () => ws.of("c").length > 5);
  ws.send({ id: "c", type: "cancel" });
  await ws.ended("c");
  const read = ws.of("c").filter(({ type }) => type !== "error");
  await ws.close();
  const again = await open({ "x-headwater-owner": "ada" });
  const turn_id = read[0]?.data?.["turn_id"];
  again.send({ id: "r", type: "resume", request: { turn_id, after: read.at(-1)?.data?.["sequence"] } });
  await again.ended("r");
  const all = [...read, ...again.of("r").filter(({ type }) => type !== "done")];
  assert.deepEqual(
    all.map(({ data }) => data?.["sequence"]),
    all.map((_, index) => index + 1),
  );
  assert.equal(all.at(-1)?.type, "end");
  assert.equal(conversations.modelCalls, calls + 1);
  again.send({ id: "foreign", type: "resume", request: { turn_id: "unknown" } });
  await again.ended("foreign");
  assert.equal(again.of("foreign")[0]?.data?.["reason"], "HW_TURN_NOT_FOUND");
  await again.close();
});

test("a tool call is decided on, and a turn is ended", async () => {
  const ws = await open();
  ws.send({ id: "c", type: "chat", request: { message: "approve" } });
  await until("the question for approval", () => ws.of("c").some(({ type }) => type === "approval"));
  const turn_id = ws.of("c")[0]?.data?.["turn_id"];
  ws.send({ id: "d", type: "decide", request: { turn_id, call_id: "call-1", approved: false } });
  await ws.ended("d");
  await ws.ended("c");
  const result = ws.of("c").find(({ type }) => type === "tool_result");
  assert.deepEqual([result?.data?.["failed"], result?.data?.["text"]], [true, "The call was refused."]);
  ws.send({ id: "e", type: "chat", request: { message: "endless" } });
  await until("the first text", () => ws.of("e").some(({ type }) => type === "text"));
  ws.send({ id: "x", type: "cancel_turn", request: { turn_id: ws.of("e")[0]?.data?.["turn_id"] } });
  await ws.ended("e");
  assert.equal(ws.of("e").at(-2)?.data?.["end_reason"], "cancelled");
  await ws.close();
});

test("malformed messages get clear errors, and the connection goes on", async () => {
  const ws = await open();
  const cases: [unknown, string, string][] = [
    ["{", "", "HW_JSON_INVALID"],
    ["7", "", "HW_REQUEST_INVALID"],
    ["null", "", "HW_REQUEST_INVALID"],
    ["[]", "", "HW_REQUEST_INVALID"],
    [{ id: "x1", type: "dance" }, "x1", "HW_REQUEST_INVALID"],
    [{ id: "x2", type: "search" }, "x2", "HW_REQUEST_INVALID"],
    [{ id: "x3", type: "search", request: { query: "", page_size: -1 } }, "x3", "HW_REQUEST_INVALID"],
    [{ id: 7, type: "search", request: { query: "a" } }, "", "HW_REQUEST_INVALID"],
    [{ id: "x4", type: "search", request: { query: "bad" } }, "x4", "HW_QUERY_EMPTY"],
    [{ id: "x6", type: "chat", request: { message: "" } }, "x6", "HW_REQUEST_INVALID"],
    [{ id: "x7", type: "chat", request: { message: "bad" } }, "x7", "HW_QUERY_EMPTY"],
    [{ id: "x8", type: "resume", request: { turn_id: "t", after: -1 } }, "x8", "HW_REQUEST_INVALID"],
    [{ id: "x5", type: "push", request: { id: "refused", text: "" } }, "x5", "HW_DOCUMENT_ID_INVALID"],
  ];
  for (const [message, id, reason] of cases) {
    const count = ws.replies.length;
    ws.send(message);
    await until(JSON.stringify(message), () => ws.replies.length > count);
    const reply = ws.replies.at(-1);
    assert.deepEqual([reply?.id, reply?.type, reply?.data?.["reason"]], [id, "error", reason]);
  }
  ws.socket.send(Buffer.from([1, 2, 3]));
  await until("the refusal of the frame", () => ws.replies.at(-1)?.data?.["reason"] === "HW_FRAME_INVALID");
  ws.send({ id: "twice", type: "search", request: { query: "hang" } });
  ws.send({ id: "twice", type: "search", request: { query: "tides" } });
  await until("the refusal of the id", () => ws.of("twice")[0]?.data?.["reason"] === "HW_ID_IN_USE");
  await ws.close();
});

test("a message that is too long closes the connection with the code for it", async () => {
  const ws = await open();
  ws.send({ id: "long", type: "push", request: { id: "l", text: "x".repeat(70_000) } });
  const [code] = (await once(ws.socket, "close")) as [number];
  assert.equal(code, 1009);
});

test("a slow reader slows the service, and other requests of the gateway go on", async () => {
  const ws = await open();
  seen.produced = 0;
  ws.send({ id: "f", type: "answer", request: { question: "flood" } });
  await until("the answer begins", () => seen.produced > 0);
  ws.socket.pause();
  for (let last = -1; last !== seen.produced; ) {
    last = seen.produced;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert(seen.produced < 600, `${seen.produced} messages of 64 KiB were made for a reader who reads nothing`);
  assert.equal((await fixture.post("/v1/search", { query: "tides" })).status, 200);
  ws.socket.terminate();
});

test("a peer that answers no ping is cut off", async () => {
  const ws = await open({}, await fixture.another({ HEADWATER_GATEWAY_HEARTBEAT_MS: "60" }));
  ws.socket.pong = () => {};
  const [code] = (await once(ws.socket, "close")) as [number];
  assert.equal(code, 1006);
});

test("a page of another origin may not connect", async () => {
  await assert.rejects(open({ origin: "https://evil.example" }), /403/);
  const same = await open({ origin: fixture.baseUrl });
  await same.close();
});

test("a connection that closed holds no place any more", async () => {
  const ws = await open();
  const active = async () => {
    const text = await (await fetch(fixture.url("/metrics"))).text();
    return Number(/^headwater_gateway_active\{.*\} (\d+)$/m.exec(text)?.[1]);
  };
  // The connection itself, and the request that asks.
  assert.equal(await active(), 2);
  await ws.close();
  await until("the place is free again", async () => (await active()) === 1);
});
