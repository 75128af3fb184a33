/**
 * Body of a process that stands for a model service: `node chat-model.ts tokens firstTokenMs paceMs`. It speaks OpenAI's
 * streamed chat completions, a token at a time, and cites its first source twice. What it sends is made before anybody
 * asks: what it costs is taken from the services that are measured.
 */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { createOpenAiWire } from "@headwater/language-model/openai-wire";
import { createTelemetry } from "@headwater/telemetry";

const [tokens = 0, firstTokenMs = 0, paceMs = 0] = process.argv.slice(2).map(Number);
const { log } = createTelemetry("chat-model", { logLevel: "info" });

const wire = createOpenAiWire("bench");
const word = Buffer.from(wire.text(" river"));
const citation = Buffer.from(wire.text(" [1]."));

function stream(response: ServerResponse, most: number): void {
  const usage = { prompt_tokens: 500, completion_tokens: most };
  response.writeHead(200, { "content-type": "text/event-stream" });
  let token = 0;
  const send = () => {
    token += 1;
    response.write(token === most >>> 1 || token === most ? citation : word);
    if (token < most) return;
    clearInterval(timer);
    response.end(wire.finish("stop", usage));
  };
  let timer = setTimeout(() => {
    timer = setInterval(send, paceMs);
    send();
  }, firstTokenMs);
  response.once("close", () => clearInterval(timer));
}

const server = createServer(async (request, response) => {
  const { max_tokens: most = tokens } = (await json(request)) as { max_tokens?: number };
  stream(response, Math.min(tokens, most));
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
log.info({ address: `127.0.0.1:${(server.address() as AddressInfo).port}` }, "listening");
process.once("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
});
