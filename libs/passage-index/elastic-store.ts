import { errors } from "@elastic/elasticsearch";
import { HeadwaterError } from "@headwater/errors";
import { ElasticConnection } from "./elastic-connection.ts";
import { ElasticEngine } from "./elastic-engine.ts";
import { elasticUnavailable } from "./elastic-errors.ts";
import { ElasticLedger } from "./elastic-ledger.ts";
import {
  indexNames,
  ledgerIndex,
  passagesIndex,
  readDescription,
  servingAlias,
  writeAlias,
} from "./elastic-mapping.ts";
import type { ElasticOptions } from "./elastic-options.ts";
import type { GenerationDescription, LexicalEngine } from "./engine.ts";
import type { Ledger } from "./ledger.ts";
import type { LexicalStore } from "./paired-store.ts";

/** Connects when it is first asked for something. */
export function openElasticStore(options: ElasticOptions): LexicalStore {
  return new ElasticStore(options);
}

type CreateRequest = ReturnType<typeof passagesIndex>;

class ElasticStore implements LexicalStore {
  readonly #connection: ElasticConnection;
  readonly #options: ElasticOptions;

  constructor(options: ElasticOptions) {
    this.#options = options;
    this.#connection = new ElasticConnection(options);
  }

  async create(description: GenerationDescription): Promise<LexicalEngine> {
    const names = indexNames(this.#options.prefix, description.generation);
    await this.#createIndex(names.ledger, ledgerIndex(description, this.#options));
    await this.#createIndex(names.passages, passagesIndex(description, this.#options));
    return this.open(description);
  }

  open(description: GenerationDescription): LexicalEngine {
    return new ElasticEngine(this.#connection, this.#options, description);
  }

  ledger(generation: string): Ledger {
    return new ElasticLedger(this.#connection, this.#options, generation);
  }

  async active(): Promise<GenerationDescription | undefined> {
    const [description] = await this.#describe(servingAlias(this.#options.prefix));
    return description;
  }

  async activate(generation: string): Promise<void> {
    const { prefix } = this.#options;
    const alias = servingAlias(prefix);
    const index = indexNames(prefix, generation).passages;
    await this.#connection.work((client, limits) =>
      client.indices.updateAliases(
        // Removed wherever it is, which is harmless where it is nowhere.
        {
          actions: [{ remove: { index: `${alias}-*`, alias, must_exist: false } }, { add: { index, alias } }],
        },
        limits,
      ),
    );
  }

  async list(): Promise<GenerationDescription[]> {
    const { passages, ledger } = indexNames(this.#options.prefix, "*");
    // Also of what was made by half: it can be dropped only when it is known.
    const found = await this.#describe(`${passages},${ledger}`);
    return [...new Map(found.map((description) => [description.generation, description])).values()];
  }

  async drop(generation: string): Promise<void> {
    const { passages, ledger } = indexNames(this.#options.prefix, generation);
    for (const index of [passages, ledger])
      await this.#connection.work((client, limits) =>
        client.indices.delete({ index, ignore_unavailable: true }, limits),
      );
  }

  async checkHealth(): Promise<void> {
    const index = `${servingAlias(this.#options.prefix)}*`;
    const { status } = await this.#connection.ask((client, limits) =>
      client.cluster.health({ index, expand_wildcards: "open" }, limits),
    );
    if (status.toLowerCase() === "red")
      throw new HeadwaterError({
        ...{ ...elasticUnavailable, message: "Elasticsearch has lost a part of the index (status red)." },
        action: "Bring back the node that holds it, or restore a snapshot.",
      });
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async #createIndex(index: string, request: CreateRequest): Promise<void> {
    await this.#connection.work(async (client, limits) => {
      try {
        await client.indices.create({ index, ...request, aliases: { [writeAlias(index)]: {} } }, limits);
      } catch (thrown) {
        if (errorType(thrown) !== "resource_already_exists_exception") throw thrown;
      }
    });
  }

  /** Of the indexes of that name, alias or pattern which are of this installation. */
  async #describe(index: string): Promise<GenerationDescription[]> {
    const mappings = await this.#connection.ask(async (client, limits) => {
      try {
        return await client.indices.getMapping({ index, filter_path: "*.mappings._meta" }, limits);
      } catch (thrown) {
        if (errorType(thrown) === "index_not_found_exception") return {};
        throw thrown;
      }
    });
    return Object.entries(mappings).flatMap(([name, { mappings }]) => {
      const description = readDescription(mappings?._meta);
      // Another installation's prefix may begin with this one.
      const names = description && indexNames(this.#options.prefix, description.generation);
      return names && (name === names.passages || name === names.ledger) ? [description] : [];
    });
  }
}

function errorType(thrown: unknown): string | undefined {
  if (!(thrown instanceof errors.ResponseError)) return undefined;
  return (thrown.body as { readonly error?: { readonly type?: string } } | undefined)?.error?.type;
}
