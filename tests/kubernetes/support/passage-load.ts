import { setTimeout as delay } from "node:timers/promises";
import type { WaitingTokens } from "@headwater/load";
import { EmbeddingDemand, loadService } from "@headwater/load";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import type { RpcServer } from "@headwater/rpc";
import { createRpcClient, startRpcServer } from "@headwater/rpc";
import { silentTelemetry } from "@headwater/telemetry";

/** Texts in a request, and requests under way on a stream. */
const batch = 16;
const window = 8;
const words = 30;
/** About, as the model counts. */
const tokensOfText = words;

/**
 * Embeds passages as ingest does, over a stream to each worker that there is, and tells the scaler what waits. Texts whose
 * stream breaks are sent again.
 */
export class PassageLoad {
  readonly #addresses: () => readonly string[];
  readonly #demand: EmbeddingDemand;
  readonly #server: RpcServer;
  readonly #closing = new AbortController();
  readonly #streams = new Map<string, Promise<void>>();
  readonly #running: Promise<void>;
  #waiting: WaitingTokens | undefined;
  #left = 0;
  #unsent = 0;

  private constructor(addresses: () => readonly string[], server: RpcServer, demand: EmbeddingDemand) {
    this.#addresses = addresses;
    this.#server = server;
    this.#demand = demand;
    this.#running = this.#run();
  }

  /** @param addresses of the workers that there are */
  static async start(addresses: () => readonly string[]): Promise<PassageLoad> {
    const demand = new EmbeddingDemand();
    const server = await startRpcServer({
      address: "127.0.0.1:0",
      ...loadService({ embedding: demand }),
      telemetry: silentTelemetry("ingest"),
      checkReadiness: async () => {},
    });
    return new PassageLoad(addresses, server, demand);
  }

  /** Texts that have no vector yet. */
  get left(): number {
    return this.#left;
  }

  /** host:port at which the scaler hears what waits. */
  get address(): string {
    return this.#server.address;
  }

  /** Has so many texts embedded, whenever there are workers. */
  add(texts: number): void {
    this.#left += texts;
    this.#unsent += texts;
    this.#waiting?.end();
    this.#waiting = this.#demand.wait("passages", this.#left * tokensOfText);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    await Promise.all(this.#streams.values());
    await this.#server.close(100);
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      for (const address of this.#addresses()) {
        if (this.#streams.has(address)) continue;
        this.#streams.set(
          address,
          this.#stream(address).finally(() => this.#streams.delete(address)),
        );
      }
      await delay(100, undefined, { signal }).catch(() => {});
    }
  }

  async #stream(address: string): Promise<void> {
    const { signal } = this.#closing;
    const client = createRpcClient(EmbeddingServiceDefinition, address);
    const unanswered: number[] = [];
    const requests = async function* (load: PassageLoad) {
      for (let sequence = 1; !signal.aborted && load.#addresses().includes(address); ) {
        if (load.#unsent === 0 || unanswered.length >= window) await delay(10);
        else {
          const length = Math.min(batch, load.#unsent);
          load.#unsent -= length;
          unanswered.push(length);
          const texts = Array.from({ length }, () => passage());
          yield { sequence: sequence++, texts, skipCache: true };
        }
      }
    };
    try {
      for await (const { embeddings } of client.call.embed(requests(this), { signal })) {
        unanswered.shift();
        this.#left -= embeddings.length;
        this.#waiting?.less(embeddings.length * tokensOfText);
      }
    } catch {
      // A worker that goes takes its stream with it; the texts are sent to another.
    } finally {
      this.#unsent += unanswered.reduce((sum, length) => sum + length, 0);
      client.close();
    }
  }
}

function passage(): string {
  return Array.from({ length: words }, () => vocabulary[Math.floor(Math.random() * vocabulary.length)]).join(
    " ",
  );
}

const vocabulary =
  "river hill mill bridge town sea spring rain field stone bird reed boat rope net path".split(" ");
