import { setImmediate as nextTurn } from "node:timers/promises";
import { SeededRandom } from "@headwater/testing/seeded-random";
import type { Gate } from "./memory-engines.ts";

/** Which actor takes the next step, out of those who can. */
export type Choose = (actors: readonly string[]) => string;

/** Lets actors take their steps on the servers one at a time, in an order that a test chooses. */
export class Schedule {
  readonly #waiting: { readonly actor: string; readonly go: () => void }[] = [];

  gate(actor: string): Gate {
    return async (_, place) => {
      if (place === "before") await new Promise<void>((go) => this.#waiting.push({ actor, go }));
    };
  }

  /** Until nobody wants to take a step any more. */
  async run(choose: Choose): Promise<void> {
    for (;;) {
      // Whatever follows from the last step has happened by then: nothing here waits for anything but steps.
      await nextTurn();
      const actors = [...new Set(this.#waiting.map(({ actor }) => actor))];
      if (actors.length === 0) return;
      const chosen = choose(actors);
      const at = this.#waiting.findIndex(({ actor }) => actor === chosen);
      for (const { go } of this.#waiting.splice(at, 1)) go();
    }
  }
}

/** The same order for the same seed. */
export function randomly(seed: number): Choose {
  const random = new SeededRandom(seed);
  return (actors) => random.pick(actors);
}
