import { HeadwaterError, status } from "@headwater/errors";
import type { PassageIndex } from "@headwater/passage-index";
import type { Stores } from "../stores.ts";

/**
 * Counts the calls that have an effect outside of the process, and kills the process, as far as its stores can tell,
 * at one of them: after it took effect and before anybody heard of it. From then on nothing that this process does
 * has any effect.
 */
export class Mortality {
  readonly #deathAt: number;
  #calls = 0;

  constructor(deathAt: number) {
    this.#deathAt = deathAt;
  }

  get dead(): boolean {
    return this.#calls >= this.#deathAt;
  }

  /** The same stores, but mortal. */
  stores({ log, records, blobs, indexes }: Stores): Stores {
    return {
      log: this.#wrap(log, ["append", "addDeadLetter"], {
        subscribe: async (group: string) => this.#wrap(await log.subscribe(group), ["commit"]),
      }),
      records: this.#wrap(records, ["query", "transaction"]),
      blobs: this.#wrap(blobs, ["put", "delete"]),
      indexes: this.#wrap(indexes, ["activate", "dropInactive"], {
        active: async () => this.#index(await indexes.active()),
        create: async (...given: Parameters<typeof indexes.create>) =>
          this.#index(await indexes.create(...given)),
        open: async (generation: string) => this.#index(await indexes.open(generation)),
      }),
    };
  }

  #index(index: PassageIndex | undefined): PassageIndex | undefined {
    return index && this.#wrap(index, ["replace", "remove"]);
  }

  #wrap<Target extends object>(target: Target, effects: readonly string[], instead: object = {}): Target {
    return new Proxy(target, {
      get: (_, name) => {
        if (Object.hasOwn(instead, name)) return Reflect.get(instead, name);
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        if (!effects.includes(String(name))) return value.bind(target);
        return (...given: unknown[]) => this.#effect(() => value.apply(target, given));
      },
    });
  }

  async #effect(work: () => Promise<unknown>): Promise<unknown> {
    if (this.dead) throw dead();
    this.#calls += 1;
    const dies = this.dead;
    const result = await work();
    if (dies) throw dead();
    return result;
  }
}

function dead(): HeadwaterError {
  return new HeadwaterError({
    code: status.UNAVAILABLE,
    reason: "HW_KILLED",
    message: "This process is dead.",
  });
}
