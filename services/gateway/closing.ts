import { setTimeout as delay } from "node:timers/promises";
import type { App, Gateway } from "./gateway.ts";
import type { SharedPort } from "./shared-port.ts";

/** How often connections that have become idle are looked for, in milliseconds. */
const sweepMs = 50;

/**
 * Stops: no new connections, endless streams end with a reason, requests under way get `graceMs` to end, then what is
 * left is cut.
 */
export async function closeGracefully(
  gateway: Gateway,
  app: App,
  port: SharedPort,
  graceMs: number,
): Promise<void> {
  gateway.telemetry.log.info("draining");
  gateway.drain.start();
  const stopped = new Promise<void>((resolve) => port.server.close(() => resolve()));
  const deadline = performance.now() + graceMs;
  let ended = false;
  void stopped.then(() => {
    ended = true;
  });
  while (!ended && performance.now() < deadline) {
    port.closeIdle();
    await Promise.race([stopped, delay(sweepMs)]);
  }
  port.closeAll();
  await stopped;
  await app.close();
}
