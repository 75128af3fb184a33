/**
 * Body of a process that stands for a model service: `node chat-model.ts tokens firstTokenMs paceMs`. It speaks OpenAI's
 * streamed chat completions, a token at a time, and cites its first source twice.
 */
import { setTimeout as delay } from "node:timers/promises";
import { startScriptedModelServer } from "@headwater/language-model/scripted-model-server";
import { createTelemetry } from "@headwater/telemetry";

const [tokens = 0, firstTokenMs = 0, paceMs = 0] = process.argv.slice(2).map(Number);
const { log } = createTelemetry("chat-model", { logLevel: "info" });

const server = await startScriptedModelServer();
server.script = async (exchange) => {
  const most = Math.min(tokens, exchange.request.body.max_tokens ?? tokens);
  await delay(firstTokenMs);
  for (let token = 1; token <= most && !exchange.left.aborted; token += 1) {
    if (token > 1) await delay(paceMs);
    await exchange.text(token === most >>> 1 || token === most ? " [1]." : " river");
  }
  await exchange.finish("stop", { prompt_tokens: 500, completion_tokens: most });
};
log.info({ address: new URL(server.baseUrl).host }, "listening");
process.once("SIGTERM", () => void server.close());
