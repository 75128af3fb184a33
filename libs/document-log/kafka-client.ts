import type { Socket } from "node:net";
import { isIP, connect as openTcp } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { connect as openTls } from "node:tls";
import { promisify } from "node:util";
import { zstdCompress, zstdDecompress } from "node:zlib";
import type { ISocketFactoryArgs, Kafka } from "kafkajs";
import kafkajs from "kafkajs";

/** How the brokers are reached. */
export interface KafkaConnection {
  /** host:port; one that answers is enough to find the others. */
  readonly brokers: readonly string[];
  /** As the brokers' logs and quotas know us. */
  readonly clientId: string;
  readonly tls: ConnectionOptions | undefined;
  readonly sasl: KafkaCredentials | undefined;
  /** Milliseconds for a connection, TLS and sign-in included. */
  readonly connectTimeoutMs: number;
  /** Milliseconds until an answer to one request. */
  readonly requestTimeoutMs: number;
}

export interface KafkaCredentials {
  readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
  readonly username: string;
  readonly password: string;
}

/** Few and quick: whoever calls decides whether to wait longer for a broker that is away. */
const retry = { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000 };

/** Nothing is connected yet. */
export function createKafka(connection: KafkaConnection): Kafka {
  const { tls, sasl } = connection;
  return new kafkajs.Kafka({
    brokers: [...connection.brokers],
    clientId: connection.clientId,
    connectionTimeout: connection.connectTimeoutMs,
    authenticationTimeout: connection.connectTimeoutMs,
    requestTimeout: connection.requestTimeoutMs,
    retry,
    socketFactory: openSocket,
    // Each failure reaches a caller or `onError`; kafkajs would print it once more, and in a form of its own.
    logLevel: kafkajs.logLevel.NOTHING,
    ...(tls ? { ssl: tls } : {}),
    ...(sasl ? { sasl: credentialsOf(sasl) } : {}),
  });
}

/** Milliseconds without traffic after which the system asks whether the broker is still there. */
const keepAliveMs = 60_000;

function openSocket({ host, port, ssl, onConnect }: ISocketFactoryArgs): Socket {
  const socket = ssl
    ? openTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
    : openTcp({ host, port }, onConnect);
  socket.setKeepAlive(true, keepAliveMs);
  // Requests are small and answers awaited: none should wait for the next.
  socket.setNoDelay(true);
  // kafkajs puts one on for each time that it gives up a connection; Node would take it for a leak.
  socket.setMaxListeners(0);
  return socket;
}

function credentialsOf({ mechanism, username, password }: KafkaCredentials) {
  // One branch each: kafkajs types every mechanism apart.
  if (mechanism === "plain") return { mechanism, username, password };
  if (mechanism === "scram-sha-256") return { mechanism, username, password };
  return { mechanism, username, password };
}

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

// kafkajs brings gzip only.
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => ({
  compress: ({ buffer }: { buffer: Buffer }) => compress(buffer),
  decompress: (buffer: Buffer) => decompress(buffer),
});
