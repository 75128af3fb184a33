import { setTimeout as delay } from "node:timers/promises";
import type { ClientConfig } from "pg";
import { Client } from "pg";
import { PostgresConnection } from "./postgres-connection.ts";
import { fromPostgres } from "./postgres-error.ts";
import type { Listener } from "./record-store.ts";

/** Milliseconds between two attempts to connect again. */
const reconnectMs = { first: 100, most: 5000 };
/** Milliseconds between two looks whether the connection still answers: a network may swallow it without a word. */
const heartbeatMs = 15_000;
/** Milliseconds for that answer. */
const heartbeatTimeoutMs = 5000;
/** Milliseconds for the server to take its leave. */
const farewellMs = 1000;

/** The one connection of a store that hears notifications. Made for the first listener; connects again by itself. */
export class PostgresListener {
  readonly #session: ClientConfig;
  readonly #onError: (thrown: unknown) => void;
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #closing = new AbortController();
  #client: Client | undefined;
  #connection: PostgresConnection | undefined;
  #started: Promise<void> | undefined;
  #keeping: Promise<void> | undefined;

  constructor(session: ClientConfig, onError: (thrown: unknown) => void) {
    this.#session = session;
    this.#onError = onError;
  }

  /** @throws HeadwaterError UNAVAILABLE where the server cannot be reached now */
  async listen(channel: string, listener: Listener): Promise<() => Promise<void>> {
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(listener));
    try {
      this.#started ??= this.#start();
      await this.#started;
      await this.#connection?.run(listenTo(channel));
    } catch (thrown) {
      listeners.delete(listener);
      throw thrown;
    }
    // The channel stays: another listener of it may have come, and what nobody wants is cheap to pass over.
    return async () => {
      listeners.delete(listener);
    };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#started?.catch(() => {});
    await this.#keeping;
    await this.#disconnect();
  }

  async #start(): Promise<void> {
    try {
      const lost = await this.#connect();
      this.#keeping = this.#keep(lost);
    } catch (thrown) {
      this.#started = undefined;
      throw thrown;
    }
  }

  /** @returns fires when the connection is lost */
  async #connect(): Promise<AbortSignal> {
    await this.#disconnect();
    const client = new Client(this.#session);
    const connection = new PostgresConnection(client, heartbeatTimeoutMs);
    const lost = new AbortController();
    this.#client = client;
    client.once("end", () => lost.abort());
    client.on("notification", ({ channel, payload = "" }) => {
      for (const listener of this.#listeners.get(channel) ?? []) listener.onPayload(payload);
    });
    try {
      await client.connect();
    } catch (thrown) {
      throw fromPostgres(thrown);
    }
    for (const channel of this.#listeners.keys()) await connection.run(listenTo(channel));
    this.#connection = connection;
    return lost.signal;
  }

  async #disconnect(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    // A server that hangs does not even answer a good-bye; its socket goes with the process.
    await Promise.race([client?.end(), delay(farewellMs, undefined, { ref: false })]);
  }

  /** Looks after the connection until the store is closed. */
  async #keep(lost: AbortSignal): Promise<void> {
    const { signal } = this.#closing;
    let heardUntil = Date.now();
    for (let current = lost; !signal.aborted; ) {
      await delay(heartbeatMs, undefined, { signal: AbortSignal.any([current, signal]) }).catch(() => {});
      if (signal.aborted) return;
      const asked = Date.now();
      try {
        await this.#connection?.run("SELECT 1");
        heardUntil = asked;
      } catch (thrown) {
        this.#onError(thrown);
        const connected = await this.#reconnect(signal);
        if (!connected) return;
        current = connected;
        for (const listeners of this.#listeners.values())
          for (const listener of listeners) listener.onGap(heardUntil);
        heardUntil = Date.now();
      }
    }
  }

  /** @returns undefined where the store was closed meanwhile */
  async #reconnect(signal: AbortSignal): Promise<AbortSignal | undefined> {
    for (let pause = reconnectMs.first; !signal.aborted; pause = Math.min(2 * pause, reconnectMs.most)) {
      try {
        return await this.#connect();
      } catch {
        // The loss was reported; that it lasts is told by health and by every query.
      }
      await delay(pause * (0.5 + Math.random()), undefined, { signal }).catch(() => {});
    }
    return undefined;
  }
}

function listenTo(channel: string): string {
  return `LISTEN "${channel}"`;
}
