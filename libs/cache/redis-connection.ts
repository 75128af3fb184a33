import { createClient, RESP_TYPES } from "redis";
import type { RedisServer } from "./redis-settings.ts";

/** Milliseconds to connect and sign in. */
const connectTimeoutMs = 2000;
/** Milliseconds between two attempts to connect. */
const reconnectMs = { first: 50, most: 5000 };
/** A connection on which nothing comes for longer is cut; a ping in between keeps one alive that is merely idle. */
const silence = { pingMs: 2000, cutMs: 5000 };
/** Commands that wait to be sent or answered; more are refused. One call makes some hundred. */
const maxCommands = 10_000;

export type RedisConnection = ReturnType<typeof createRedisConnection>;

/**
 * A connection that makes itself anew for as long as it is open. While there is none, commands are refused at once.
 * Values are bytes both ways.
 */
export function createRedisConnection(
  { url, ca, password }: RedisServer,
  onError: (thrown: unknown) => void,
) {
  const address = new URL(url);
  const username = decodeURIComponent(address.username);
  const given = decodeURIComponent(address.password);
  // The client would take these rather than what it is told.
  address.username = "";
  address.password = "";
  const client = createClient({
    url: address.href,
    credentialsProvider: {
      type: "async-credentials-provider",
      credentials: async () => ({
        ...(username === "" ? {} : { username }),
        password: password?.() ?? given,
      }),
    },
    socket: {
      ...(address.protocol === "rediss:" ? { tls: true as const, ...(ca === undefined ? {} : { ca }) } : {}),
      connectTimeout: connectTimeoutMs,
      socketTimeout: silence.cutMs,
      reconnectStrategy: (retries) =>
        Math.min(reconnectMs.first * 2 ** Math.min(retries, 10), reconnectMs.most) *
        (0.5 + Math.random() / 2),
    },
    pingInterval: silence.pingMs,
    disableOfflineQueue: true,
    commandsQueueMaxLength: maxCommands,
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  });
  client.on("error", onError);
  return client;
}
