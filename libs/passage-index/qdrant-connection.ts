import { HeadwaterError } from "@headwater/errors";
import type { CallOptions } from "@headwater/resilience";
import { Dependency } from "@headwater/resilience";
import type { Schemas } from "@qdrant/js-client-rest";
import { QdrantClient } from "@qdrant/js-client-rest";
import type { Dispatcher } from "undici";
import { Agent, Dispatcher1Wrapper } from "undici";
import { qdrantUnavailable, toQdrantError } from "./qdrant-errors.ts";
import type { QdrantOptions } from "./qdrant-options.ts";

type Api = ReturnType<QdrantClient["api"]>;

/** Sends one request; hands `init` to the client, so that a request that is given up is really cut off. */
type Send<T> = (
  api: Api,
  init: { readonly signal: AbortSignal; readonly dispatcher?: Dispatcher },
) => Promise<{ readonly data: { readonly result?: T } }>;

const defaultPort = 6333;

/** Qdrant behind a time limit, a circuit breaker and a bounded number of retries. */
export class QdrantConnection {
  readonly #api: Api;
  readonly #dependency: Dependency;
  readonly #options: QdrantOptions;
  /** In the place of the client's own, which trusts only the authorities that Node knows. */
  readonly #dispatcher: Dispatcher | undefined;

  constructor(options: QdrantOptions) {
    this.#options = options;
    this.#api = createClient(options).api();
    this.#dispatcher = options.ca === undefined ? undefined : createDispatcher(options.ca);
    this.#dependency = new Dependency({
      ...{ name: "Qdrant", reason: qdrantUnavailable.reason, action: qdrantUnavailable.action },
      timeoutMs: options.timeoutMs,
      toError: toQdrantError,
    });
  }

  /** @throws HeadwaterError */
  read<T>(send: Send<T>, options?: CallOptions): Promise<T> {
    return this.#dependency.run(
      async (signal) => resultOf(await send(this.#api, this.#init(signal))),
      options,
    );
  }

  /** A change of collections or aliases. @throws HeadwaterError */
  change<T>(send: Send<T>): Promise<T> {
    return this.read(send, { timeoutMs: this.#options.writeTimeoutMs });
  }

  /** A change of points that is applied on return. @throws HeadwaterError */
  async write(send: Send<Schemas["UpdateResult"]>): Promise<void> {
    await this.#dependency.run(
      async (signal) => {
        const { status } = resultOf(await send(this.#api, this.#init(signal)));
        if (status === "completed") return;
        throw new HeadwaterError({ ...qdrantUnavailable, message: `Qdrant left a write ${status}.` });
      },
      { timeoutMs: this.#options.writeTimeoutMs },
    );
  }

  /** @throws HeadwaterError UNAVAILABLE */
  async checkHealth(): Promise<void> {
    await this.#dependency.run(async (signal) => {
      const init = this.#init(signal);
      await this.#api.readyz({}, init);
      // What /readyz does not ask for: the key.
      await this.#api.getCollectionsAliases({}, init);
    });
  }

  async close(): Promise<void> {
    await this.#dispatcher?.destroy();
  }

  #init(signal: AbortSignal) {
    return { signal, ...(this.#dispatcher && { dispatcher: this.#dispatcher }) };
  }
}

/** As the client's own but for whom it trusts: times are those of the signals. For Node's fetch, whose undici is older. */
function createDispatcher(ca: string): Dispatcher {
  const agent = new Agent({ connect: { ca }, connections: 25, bodyTimeout: 0, headersTimeout: 0 });
  return new Dispatcher1Wrapper(agent);
}

function createClient({ url, apiKey }: QdrantOptions): QdrantClient {
  const { origin, pathname } = new URL(url);
  return new QdrantClient({
    url: origin,
    // The client takes 6333 where the URL names the port that its scheme has anyway.
    port: Number(/^https?:\/\/[^/]*:(\d+)(?:\/|$)/.exec(url)?.[1] ?? defaultPort),
    ...(pathname !== "/" && { prefix: pathname.replace(/\/$/, "") }),
    headers: {
      // Qdrant would compress each answer for us, which takes it longer than sending a few hundred KB.
      "accept-encoding": "identity",
      // Not as `apiKey`: the client prints a warning to the console where a key goes to an http address.
      ...(apiKey !== undefined && { "api-key": apiKey }),
    },
    // None of its own: with one it would put its signal in the place of ours.
    timeout: Number.POSITIVE_INFINITY,
    checkCompatibility: false,
  });
}

function resultOf<T>({ data }: { readonly data: { readonly result?: T } }): T {
  if (data.result !== undefined) return data.result;
  throw new HeadwaterError({ ...qdrantUnavailable, message: "What answered is not Qdrant." });
}
