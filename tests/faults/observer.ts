import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { HeadwaterError } from "@headwater/errors";
import type { SeenDocument } from "./indexes.ts";
import { Indexes } from "./indexes.ts";

const pauseMs = 250;

/**
 * A reader that searches all the time while servers and services are killed. What it sees must be whole documents, and
 * no document may go back to an older version, not even by way of its deletion.
 */
export class Observer {
  readonly #indexes: Indexes;
  readonly #tenant: string;
  readonly #newest = { words: new Map<string, number>(), vectors: new Map<string, number>() };
  readonly #stopping = new AbortController();
  readonly #watching: Promise<void>;
  #looks = 0;

  private constructor(indexes: Indexes, tenant: string) {
    this.#indexes = indexes;
    this.#tenant = tenant;
    this.#watching = this.#watch();
    // Told by `stop`, which may come much later.
    this.#watching.catch(() => {});
  }

  static async start(environment: Record<string, string>, tenant: string): Promise<Observer> {
    return new Observer(await Indexes.open(environment), tenant);
  }

  /**
   * @returns how often an index answered
   * @throws AssertionError where something was seen that must not be
   */
  async stop(): Promise<number> {
    this.#stopping.abort();
    try {
      await this.#watching;
    } finally {
      await this.#indexes.close();
    }
    return this.#looks;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#look("words", () => this.#indexes.byWords(this.#tenant));
      await this.#look("vectors", () => this.#indexes.byVectors(this.#tenant));
      await delay(pauseMs, undefined, { signal }).catch(() => {});
    }
  }

  async #look(side: "words" | "vectors", look: () => Promise<Map<string, SeenDocument>>): Promise<void> {
    let seen: Map<string, SeenDocument>;
    try {
      seen = await look();
    } catch (thrown) {
      // An engine that is down may say so; it may not show half a document.
      if (thrown instanceof HeadwaterError && thrown.transient) return;
      throw thrown;
    }
    this.#looks += 1;
    const newest = this.#newest[side];
    for (const [id, { version }] of seen) {
      const before = newest.get(id) ?? 0;
      assert(version >= before, `${id} went back from version ${before} to ${version}, found by ${side}`);
      newest.set(id, version);
    }
  }
}
