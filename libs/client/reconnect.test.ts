import assert from "node:assert/strict";
import { once } from "node:events";
import type { Http2Session } from "node:http2";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { GenerationService } from "@headwater/proto/connect/headwater/v1/generation";
import { SearchService, Stage } from "@headwater/proto/connect/headwater/v1/search";
import { createHeadwaterClient } from "./client.ts";
import { createNodeTransport } from "./node.ts";

const { LEXICAL, VECTOR, FUSED } = Stage;

/** A gateway that dies in the middle of the first attempt, and is there again for the next. @param after events that it sends before */
async function startMortal(after: number) {
  let session: Http2Session | undefined;
  let attempts = 0;
  async function* mortal<Event>(events: readonly Event[]) {
    attempts += 1;
    for (const [at, event] of events.entries()) {
      if (attempts === 1 && at === after) {
        // What was sent is on its way.
        setTimeout(() => session?.destroy(), 50);
        await new Promise(() => {});
      }
      yield event;
    }
  }
  const hits = (stage: Stage) => ({
    event: { case: "hits" as const, value: { stage, elapsedMs: attempts } },
  });
  const text = (text: string) => ({ event: { case: "text" as const, value: { text } } });
  const answer = connectNodeAdapter({
    routes: (router) => {
      router.service(SearchService, {
        search: () =>
          mortal([
            hits(LEXICAL),
            hits(VECTOR),
            hits(FUSED),
            { event: { case: "summary" as const, value: {} } },
          ]),
      });
      router.service(GenerationService, {
        answer: () => mortal([text("At new moon "), text("and full moon.")]),
      });
    },
  });
  const server = createServer((request, response) => {
    session = request.stream.session;
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const transport = createNodeTransport({ address: `127.0.0.1:${(server.address() as AddressInfo).port}` });
  return {
    client: createHeadwaterClient({ transport }),
    attempts: () => attempts,
    async [Symbol.asyncDispose]() {
      transport.close();
      server.close();
      await once(server, "close");
    },
  };
}

test("a search whose connection is lost is made anew, without the stages that were read", async () => {
  for (const after of [0, 2]) {
    await using server = await startMortal(after);
    const events = await Array.fromAsync(server.client.search("heron"));
    assert.deepEqual(
      events.map((event) => (event.type === "hits" ? event.stage : event.type)),
      ["lexical", "vector", ...(after === 2 ? ["vector"] : []), "fused", "summary"],
    );
    assert.equal(server.attempts(), 2);
  }
});

test("an answer is asked for again until it has begun, and fails after that", async () => {
  await using early = await startMortal(0);
  assert.equal((await Array.fromAsync(early.client.answer("when?"))).length, 2);
  assert.equal(early.attempts(), 2);
  await using late = await startMortal(1);
  await assert.rejects(Array.fromAsync(late.client.answer("when?")), { reason: "HW_SERVICE_UNAVAILABLE" });
  assert.equal(late.attempts(), 1);
});

test("who was never there is told at once", async () => {
  const transport = createNodeTransport({ address: "127.0.0.1:1" });
  const client = createHeadwaterClient({ transport, reconnects: 1_000_000 });
  await assert.rejects(Array.fromAsync(client.search("heron")), { message: "Headwater cannot be reached." });
  transport.close();
});
