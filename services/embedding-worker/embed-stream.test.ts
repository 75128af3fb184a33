import assert from "node:assert/strict";
import { test } from "node:test";
import { answerInOrder } from "./embed-stream.ts";
import { settle } from "./testing/fake-engine.ts";

/** Requests 1, 2, 3 …, the number read, and responses that the test gives. */
function setUp(count: number, roomFor: number) {
  const responses = new Map<number, PromiseWithResolvers<string>>();
  const read: number[] = [];
  async function* requests() {
    for (let request = 1; request <= count; request += 1) {
      read.push(request);
      yield request;
    }
  }
  const leave = new AbortController();
  const stream = answerInOrder(
    requests(),
    async (request, signal) => {
      const response = Promise.withResolvers<string>();
      signal.addEventListener("abort", () => response.reject(signal.reason));
      responses.set(request, response);
      return { tokens: 10, response: response.promise };
    },
    (tokens) => tokens < roomFor,
    leave.signal,
  );
  return {
    stream,
    read,
    leave,
    answer: (request: number) => responses.get(request)?.resolve(`answer ${request}`),
  };
}

test("answers come in the order of the requests, whichever is ready first", async () => {
  const { stream, answer } = setUp(3, 100);
  const first = stream.next();
  await settle();
  answer(3);
  answer(2);
  answer(1);
  assert.equal((await first).value, "answer 1");
  assert.equal((await stream.next()).value, "answer 2");
  assert.equal((await stream.next()).value, "answer 3");
  assert.equal((await stream.next()).done, true);
});

test("no more is read than there is room for, and reading goes on as answers are ready", async () => {
  const { stream, read, answer } = setUp(10, 30);
  const first = stream.next();
  await settle();
  assert.deepEqual(read, [1, 2, 3]);
  answer(1);
  await first;
  await settle();
  assert.deepEqual(read, [1, 2, 3, 4]);
  await stream.return(undefined);
});

test("a stream with nothing under way may always send one", async () => {
  const { stream, read, answer } = setUp(2, 0);
  const first = stream.next();
  await settle();
  assert.deepEqual(read, [1]);
  answer(1);
  assert.equal((await first).value, "answer 1");
  const second = stream.next();
  await settle();
  answer(2);
  assert.equal((await second).value, "answer 2");
});

test("a bad request ends the stream after the answers to those before it", async () => {
  async function* requests() {
    yield* ["good", "bad", "never"];
  }
  const taken: string[] = [];
  const stream = answerInOrder(
    requests(),
    async (request) => {
      taken.push(request);
      if (request === "bad") throw new RangeError("bad");
      return { tokens: 1, response: Promise.resolve(request) };
    },
    () => true,
    new AbortController().signal,
  );
  assert.equal((await stream.next()).value, "good");
  await assert.rejects(stream.next(), { message: "bad" });
  assert.deepEqual(taken, ["good", "bad"]);
});

test("when the caller leaves, work under way is told", async () => {
  const { stream, leave } = setUp(2, 100);
  const first = stream.next();
  await settle();
  leave.abort();
  await assert.rejects(first, { name: "AbortError" });
});
