import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { WebSocket } from "ws";
import { startFixture } from "./testing/fixture.ts";
import { malformedInputs } from "./testing/malformed.ts";
import { sendMalformed } from "./testing/send-malformed.ts";

const fixture = await startFixture();

test("malformed inputs at every door: a clear answer each, and the gateway goes on", async () => {
  const socket = new WebSocket(`${fixture.baseUrl.replace("http", "ws")}/v1/ws`);
  let answers = 0;
  socket.on("message", (data) => {
    answers += 1;
    assert.doesNotMatch(String(data), /TypeError|node_modules/);
  });
  await once(socket, "open");
  const inputs = [...malformedInputs(600, 20_261_121)];
  for (let start = 0; start < inputs.length; start += 20)
    await Promise.all(
      inputs.slice(start, start + 20).map((input) => sendMalformed(fixture.baseUrl, input, socket)),
    );
  assert(answers > 80, `${answers} answers over the WebSocket`);
  assert.equal(socket.readyState, WebSocket.OPEN);
  socket.terminate();
  assert.equal((await fixture.post("/v1/search", { query: "tides" })).status, 200);
});
