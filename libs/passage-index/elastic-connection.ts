import { Client } from "@elastic/elasticsearch";
import { Dependency } from "@headwater/resilience";
import { elasticUnavailable, toElasticError } from "./elastic-errors.ts";
import type { ElasticOptions } from "./elastic-options.ts";

/** How a call is given up: for the last parameter of the client's methods. */
export interface CallLimits {
  readonly signal: AbortSignal;
}

type Call<T> = (client: Client, limits: CallLimits) => Promise<T>;

/** A search whose answer has not come in time is tried once more, as another node may be well. */
const askAttempts = 2;

/**
 * Elasticsearch behind time limits, circuit breakers and a bounded number of retries. Work has a breaker of its own:
 * where a burst of writes times out, searches go on.
 */
export class ElasticConnection {
  readonly #client: Client;
  readonly #asking: Dependency;
  readonly #working: Dependency;

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
    this.#asking = new Dependency({ ...dependency, timeoutMs });
    this.#working = new Dependency({ ...dependency, timeoutMs: writeTimeoutMs });
  }

  /** For what somebody waits for: searches, entries of the ledger, the alias. @throws HeadwaterError */
  ask<T>(call: Call<T>, signal?: AbortSignal): Promise<T> {
    return this.#asking.run((attempt) => call(this.#client, { signal: attempt }), {
      attempts: askAttempts,
      signal,
    });
  }

  /** For writes and what else may take its time; it may be sent twice. @throws HeadwaterError */
  work<T>(call: Call<T>): Promise<T> {
    return this.#working.run((attempt) => call(this.#client, { signal: attempt }));
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
