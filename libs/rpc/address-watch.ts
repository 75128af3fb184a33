import { lookup } from "node:dns/promises";
import { isIP } from "node:net";

/** All IP addresses of a host name. */
export type Lookup = (host: string) => Promise<readonly string[]>;

/** As the system has it: /etc/hosts, search domains, then DNS; nothing is cached in between. */
const lookupAll: Lookup = async (host) => (await lookup(host, { all: true })).map(({ address }) => address);

/** Least time between two look-ups, in milliseconds, however many connections fail. */
const shortestPauseMs = 500;

export interface AddressWatchOptions {
  /** Milliseconds between two look-ups while nothing fails. */
  readonly intervalMs: number;
  readonly lookup?: Lookup;
}

/** Told of each change. `failure` is why there are none, where the name cannot be looked up. */
export type AddressListener = (addresses: readonly string[], failure?: unknown) => void;

/**
 * All addresses behind a name, such as the pods behind a headless service, looked up again and again while somebody
 * listens. What was known stays where a look-up fails: a name server that is away for a while stops no call.
 */
export class AddressWatch {
  /** host:port as it was given. */
  readonly target: string;
  readonly #host: string;
  readonly #port: string;
  readonly #options: AddressWatchOptions;
  readonly #listeners = new Set<AddressListener>();
  #known: readonly string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking = false;

  /** @param target host:port; IPv6 in brackets */
  constructor(target: string, options: AddressWatchOptions) {
    const colon = target.lastIndexOf(":");
    this.target = target;
    this.#host = target.slice(0, colon).replace(/^\[|\]$/g, "");
    this.#port = target.slice(colon + 1);
    this.#options = options;
    if (isIP(this.#host)) this.#known = [target];
  }

  /** host:port of each, sorted; empty while nothing is known. */
  get known(): readonly string[] {
    return this.#known;
  }

  /** @returns ends it; nobody looks up a name for which nobody listens */
  listen(listener: AddressListener): () => void {
    this.#listeners.add(listener);
    this.refresh();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) clearTimeout(this.#timer);
    };
  }

  /** Looks up soon, as after a connection that failed. */
  refresh(): void {
    if (isIP(this.#host) || this.#asking) return;
    this.#schedule(this.#askedAt + shortestPauseMs - performance.now());
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#listeners.size === 0) return;
    this.#timer = setTimeout(() => void this.#ask(), Math.max(0, ms)).unref();
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    this.#askedAt = performance.now();
    try {
      const hosts = await (this.#options.lookup ?? lookupAll)(this.#host);
      const found = [...new Set(hosts)].map(
        (host) => `${isIP(host) === 6 ? `[${host}]` : host}:${this.#port}`,
      );
      this.#learn(found.sort());
    } catch (thrown) {
      if (this.#known.length === 0) this.#tell(thrown);
    } finally {
      this.#asking = false;
      this.#schedule(this.#known.length === 0 ? shortestPauseMs : this.#options.intervalMs);
    }
  }

  #learn(found: readonly string[]): void {
    if (found.length === 0 || found.join() === this.#known.join()) return;
    this.#known = found;
    this.#tell();
  }

  #tell(failure?: unknown): void {
    for (const listener of this.#listeners) listener(this.#known, failure);
  }
}
