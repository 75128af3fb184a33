import { hash } from "node:crypto";
import { once } from "node:events";
import { HeadwaterError, isTlsFault, status } from "@headwater/errors";
import { Dependency } from "@headwater/resilience";
import { ErrorReply } from "redis";
import type { Cache, CacheEntry } from "./cache.ts";
import { portionsOf } from "./portions.ts";
import type { RedisConnection } from "./redis-connection.ts";
import { createRedisConnection } from "./redis-connection.ts";
import type { RedisServer } from "./redis-settings.ts";

export interface RedisCacheOptions {
  readonly server: RedisServer;
  /** What every key begins with. */
  readonly prefix: string;
  /** Seconds after which an entry is forgotten. */
  readonly ttlSeconds: number;
  /** Milliseconds for one answer; beyond it entries count as not there. */
  readonly timeoutMs: number;
  /** Told of a failure, once until Redis works again. The cache goes on without entries meanwhile. */
  readonly onError?: (thrown: unknown) => void;
}

/** In one answer, and so in one stretch of the server's only thread: with token vectors of 80 KB these are 10 MB. */
const keysInAnswer = 128;
const portion = { entries: 512, bytes: 1024 * 1024 };

/**
 * A cache in Redis, shared by processes. Which entries go first is the server's affair (maxmemory-policy). Opens also
 * while Redis is away, and uses it once it is there.
 */
export async function openRedisCache(options: RedisCacheOptions): Promise<Cache> {
  const cache = new RedisCache(options);
  await cache.connect();
  return cache;
}

class RedisCache implements Cache {
  readonly #options: RedisCacheOptions;
  readonly #client: RedisConnection;
  readonly #redis: Dependency;
  #failing = false;
  #closed = false;

  constructor(options: RedisCacheOptions) {
    this.#options = options;
    this.#client = createRedisConnection(options.server, (thrown) => this.#report(toError(thrown)));
    this.#redis = new Dependency({
      ...{ name: "Redis", reason: "HW_REDIS_UNAVAILABLE", action: unavailableAction },
      ...{ timeoutMs: options.timeoutMs, toError },
    });
  }

  /** Waits for the connection, but not for long: whoever starts must not wait for a cache. */
  async connect(): Promise<void> {
    const tooLong = AbortSignal.timeout(this.#options.timeoutMs);
    // Ends only with the cache: it connects again and again. What goes wrong is told by the client's event.
    this.#client.connect().catch(() => {});
    await once(this.#client, "ready", { signal: tooLong }).catch(() => {});
  }

  async getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    const found: (Uint8Array | undefined)[] = [];
    while (found.length < keys.length) {
      const wanted = keys.slice(found.length, found.length + keysInAnswer).map((key) => this.#keyOf(key));
      const values = await this.#attempt(() => this.#client.mGet(wanted));
      // One that fails costs its time; the next ones would too.
      if (!values) return [...found, ...keys.slice(found.length).map(() => undefined)];
      for (const value of values) found.push(typeof value === "string" ? undefined : (value ?? undefined));
    }
    return found;
  }

  async setMany(entries: readonly CacheEntry[]): Promise<void> {
    const expiration = { type: "EX", value: this.#options.ttlSeconds } as const;
    for (const some of portionsOf(entries, portion)) {
      const kept = await this.#attempt(async () => {
        // Sent together, answered together. A copy, as a caller whom this keeps waiting too long may reuse its bytes.
        await Promise.all(
          some.map(({ key, value }) =>
            this.#client.set(this.#keyOf(key), Buffer.from(value), { expiration }),
          ),
        );
        return true;
      });
      if (!kept) return;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#client.destroy();
  }

  /** Hashed: keys may be long, and Redis holds each in memory. */
  #keyOf(key: string): string {
    return this.#options.prefix + hash("sha256", key, "base64url");
  }

  /** @returns undefined where Redis did not do it */
  async #attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (this.#closed) return undefined;
    try {
      const result = await this.#redis.run(work, { attempts: 1 });
      this.#failing = false;
      return result;
    } catch (thrown) {
      this.#report(thrown);
      return undefined;
    }
  }

  #report(thrown: unknown): void {
    if (!this.#failing && !this.#closed) this.#options.onError?.(thrown);
    this.#failing = true;
  }
}

const unavailableAction =
  "Check that it runs and that HEADWATER_REDIS_URL is right; meanwhile vectors are computed anew.";

function toError(thrown: unknown): HeadwaterError {
  if (thrown instanceof HeadwaterError) return thrown;
  const said = thrown instanceof ErrorReply ? (thrown.message.split(" ")[0] ?? "") : "";
  if (/^(NOAUTH|WRONGPASS|NOPERM)$/.test(said)) {
    return new HeadwaterError({
      code: status.FAILED_PRECONDITION,
      reason: "HW_REDIS_FORBIDDEN",
      message: "Redis refused the sign-in, or a command.",
      action: "Check the user of HEADWATER_REDIS_URL, its password and its rights (GET, SET, MGET, PING).",
      cause: thrown,
    });
  }
  if (said === "OOM") {
    return new HeadwaterError({
      code: status.RESOURCE_EXHAUSTED,
      reason: "HW_REDIS_FULL",
      message: "The memory of Redis is full, and it lets nothing go.",
      action: "Set its maxmemory-policy to allkeys-lru.",
      cause: thrown,
    });
  }
  if (isTlsFault(thrown)) {
    return new HeadwaterError({
      code: status.UNAVAILABLE,
      reason: "HW_REDIS_TLS_FAILED",
      message: "TLS with Redis could not be set up.",
      action: "Check the server's certificate, HEADWATER_REDIS_URL and HEADWATER_REDIS_CA_FILE.",
      cause: thrown,
    });
  }
  return new HeadwaterError({
    code: status.UNAVAILABLE,
    reason: "HW_REDIS_UNAVAILABLE",
    message: "Redis cannot be reached.",
    action: unavailableAction,
    cause: thrown,
  });
}
