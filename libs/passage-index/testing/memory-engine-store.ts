import type { EngineStore, GenerationDescription, PassageEngine } from "../engine.ts";
import type { Server } from "./memory-engines.ts";
import { MemoryServers, serverDown } from "./memory-engines.ts";

/** What both engines of a pair hold: generations, and the alias of each. */
export class MemoryPair {
  readonly lexical = new MemoryCatalogue();
  readonly vector = new MemoryCatalogue();
  readonly #servers = new Map<string, MemoryServers>();

  /** Clients of one process. */
  stores() {
    const lexical = this.#store("lexical", (generation) => this.#connect(generation).lexical);
    return {
      lexical: { ...lexical, ledger: (generation: string) => this.#connect(generation).ledger },
      vector: this.#store("vector", (generation) => this.#connect(generation).vector),
    };
  }

  #connect(generation: string) {
    const servers = this.#servers.get(generation) ?? new MemoryServers();
    this.#servers.set(generation, servers);
    return servers.connect(async (server) => {
      const catalogue = server === "vector" ? this.vector : this.lexical;
      if (catalogue.down) throw serverDown(server);
    });
  }

  #store<Engine extends PassageEngine>(
    server: Server & ("lexical" | "vector"),
    open: (generation: string) => Engine,
  ): EngineStore<Engine> {
    const catalogue = this[server];
    const ask = async <T>(work: () => T): Promise<T> => {
      catalogue.asked += 1;
      if (catalogue.down) throw serverDown(server);
      return work();
    };
    return {
      create: (description) =>
        ask(() => {
          catalogue.generations.set(description.generation, description);
          return open(description.generation);
        }),
      open: ({ generation }) => open(generation),
      active: () => ask(() => catalogue.generations.get(catalogue.alias ?? "")),
      activate: (generation) =>
        ask(() => {
          catalogue.alias = generation;
        }),
      list: () => ask(() => [...catalogue.generations.values()]),
      drop: (generation) =>
        ask(() => {
          catalogue.generations.delete(generation);
        }),
      checkHealth: () => ask(() => {}),
      close: async () => {},
    };
  }
}

class MemoryCatalogue {
  readonly generations = new Map<string, GenerationDescription>();
  alias: string | undefined;
  down = false;
  /** Requests so far. */
  asked = 0;
}
