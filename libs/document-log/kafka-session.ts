import { setTimeout as delay } from "node:timers/promises";

/** Milliseconds. */
const closeTimeoutMs = 3_000;

/** A client of kafkajs: an admin, a producer or a view of the cluster. */
interface KafkaClient {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}

/**
 * Keeps a client connected: connects at the first use, and makes a new one after a failure, since kafkajs does not
 * always find its way back by itself, and a producer that failed cannot know what the broker has of it.
 */
export class KafkaSession<Client extends KafkaClient> {
  readonly #create: () => Client;
  readonly #uses = new Set<Promise<unknown>>();
  #current: Promise<Client> | undefined;
  #closed = false;

  constructor(create: () => Client) {
    this.#create = create;
  }

  /** @throws whatever `work` or kafkajs threw */
  async use<Result>(work: (client: Client) => Promise<Result>): Promise<Result> {
    if (this.#closed) throw new Error("the session has been closed");
    this.#current ??= this.#connect();
    const current = this.#current;
    const use = current.then(work);
    this.#uses.add(use);
    try {
      return await use;
    } catch (thrown) {
      if (this.#current === current) {
        this.#current = undefined;
        void disconnect(current);
      }
      throw thrown;
    } finally {
      this.#uses.delete(use);
    }
  }

  /** Waits for what is under way, a while: kafkajs would connect again for a request that has not been sent. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.race([Promise.allSettled(this.#uses), delay(closeTimeoutMs, undefined, { ref: false })]);
    if (this.#current !== undefined) await disconnect(this.#current);
  }

  async #connect(): Promise<Client> {
    const client = this.#create();
    try {
      await client.connect();
      return client;
    } catch (thrown) {
      await disconnect(client);
      throw thrown;
    }
  }
}

async function disconnect(client: KafkaClient | Promise<KafkaClient>): Promise<void> {
  try {
    await (await client).disconnect();
  } catch {
    // Its failure has been told by whoever used it; there is nothing left to take care of.
  }
}
