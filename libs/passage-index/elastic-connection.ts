import { Client } from "@elastic/elasticsearch";
import type { CallOptions } from "@headwater/resilience";
import { Dependency } from "@headwater/resilience";
import { elasticUnavailable, toElasticError } from "./elastic-errors.ts";
import type { ElasticOptions } from "./elastic-options.ts";

/** How a call is given up: for the last parameter of the client's methods. */
export interface CallLimits {
  readonly signal: AbortSignal;
}

type Call<T> = (client: Client, limits: CallLimits) => Promise<T>;

/**
 * Elasticsearch behind time limits, circuit breakers and a bounded number of retries. Writes have a breaker of their own:
 * where a burst of them times out, searches go on.
 */
export class ElasticConnection {
  readonly #client: Client;
  readonly #reads: Dependency;
  readonly #writes: Dependency;

  constructor(options: ElasticOptions) {
    const { nodes, auth, apiKey, ca, timeoutMs, writeTimeoutMs } = options;
    this.#client = new Client({
      nodes: [...nodes],
      ...(auth && { auth: { ...auth } }),
      ...(apiKey !== undefined && { auth: { apiKey } }),
      ...(ca !== undefined && { tls: { ca } }),
      // What a Dependency gives up is cut off by its signal; this is for what would hang on for ever.
      ...{ requestTimeout: 2 * Math.max(timeoutMs, writeTimeoutMs), maxRetries: 0 },
    });
    const dependency = {
      ...{ name: "Elasticsearch", reason: elasticUnavailable.reason, action: elasticUnavailable.action },
      toError: toElasticError,
    };
    this.#reads = new Dependency({ ...dependency, timeoutMs });
    this.#writes = new Dependency({ ...dependency, timeoutMs: writeTimeoutMs });
  }

  /** @throws HeadwaterError */
  read<T>(call: Call<T>, options?: CallOptions): Promise<T> {
    return this.#reads.run((signal) => call(this.#client, { signal }), options);
  }

  /** For what may be sent twice. @throws HeadwaterError */
  write<T>(call: Call<T>): Promise<T> {
    return this.#writes.run((signal) => call(this.#client, { signal }));
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
