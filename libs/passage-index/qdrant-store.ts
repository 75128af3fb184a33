import { HeadwaterError, status } from "@headwater/errors";
import type { EngineStore, GenerationDescription, VectorEngine } from "./engine.ts";
import { QdrantConnection } from "./qdrant-connection.ts";
import { QdrantEngine } from "./qdrant-engine.ts";
import type { CollectionMetadata } from "./qdrant-layout.ts";
import {
  collectionConfig,
  collectionName,
  payloadIndexes,
  readMetadata,
  sharedCollection,
  tenantCollection,
} from "./qdrant-layout.ts";
import type { QdrantOptions } from "./qdrant-options.ts";

/** Connects when it is first asked for something. */
export function openQdrantStore(options: QdrantOptions): EngineStore<VectorEngine> {
  return new QdrantStore(options);
}

class QdrantStore implements EngineStore<VectorEngine> {
  readonly #connection: QdrantConnection;
  readonly #options: QdrantOptions;
  /** By collection: a collection's metadata never changes. */
  readonly #known = new Map<string, CollectionMetadata>();

  constructor(options: QdrantOptions) {
    this.#options = options;
    this.#connection = new QdrantConnection(options);
  }

  async create(description: GenerationDescription): Promise<VectorEngine> {
    const { prefix } = this.#options;
    const { generation } = description;
    const shared = sharedCollection(prefix, generation);
    // Where it is there already, it decides: the settings may have changed since.
    const { largeTenants } = (await this.#metadata(shared)) ?? this.#options;
    for (const tenant of largeTenants)
      await this.#createCollection(
        tenantCollection(prefix, generation, tenant),
        ...[description, largeTenants, tenant],
      );
    await this.#createCollection(shared, description, largeTenants);
    return new QdrantEngine(this.#connection, this.#options, description, largeTenants);
  }

  open(description: GenerationDescription): VectorEngine {
    const known = this.#known.get(sharedCollection(this.#options.prefix, description.generation));
    return new QdrantEngine(this.#connection, this.#options, description, known?.largeTenants);
  }

  async active(): Promise<GenerationDescription | undefined> {
    const { aliases } = await this.#connection.read((api, init) => api.getCollectionsAliases({}, init));
    const name = aliases.find(({ alias_name }) => alias_name === this.#options.prefix)?.collection_name;
    if (name === undefined) return undefined;
    const metadata = await this.#metadata(name);
    if (metadata) return toDescription(metadata);
    throw new HeadwaterError({
      code: status.FAILED_PRECONDITION,
      reason: "HW_QDRANT_ALIAS_FOREIGN",
      message: `The alias ${this.#options.prefix} in Qdrant names a collection that Headwater did not make.`,
      action: "Set HEADWATER_QDRANT_PREFIX to another name, or remove the alias.",
    });
  }

  async activate(generation: string): Promise<void> {
    const { prefix: alias_name } = this.#options;
    const collection_name = sharedCollection(alias_name, generation);
    await this.#connection.change((api, init) =>
      api.updateAliases(
        { actions: [{ delete_alias: { alias_name } }, { create_alias: { alias_name, collection_name } }] },
        init,
      ),
    );
  }

  async list(): Promise<GenerationDescription[]> {
    const found: GenerationDescription[] = [];
    for (const name of await this.#names()) {
      const metadata = await this.#metadata(name);
      if (metadata && metadata.tenant === undefined) found.push(toDescription(metadata));
    }
    return found;
  }

  async drop(generation: string): Promise<void> {
    const shared = sharedCollection(this.#options.prefix, generation);
    const names = (await this.#names()).filter((name) => name === shared || name.startsWith(`${shared}--`));
    // The shared one last: while it is there, the generation is listed, and can be dropped again.
    for (const name of names.sort((a, b) => b.length - a.length)) {
      if (!(await this.#metadata(name))) continue;
      this.#known.delete(name);
      await orUndefinedWhere(
        status.NOT_FOUND,
        this.#connection.change((api, init) => api.deleteCollection({ collection_name: name }, init)),
      );
    }
  }

  checkHealth(): Promise<void> {
    return this.#connection.checkHealth();
  }

  /** Of the client's own connections nothing is kept; they close by themselves when they have been idle. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  async #createCollection(
    collection_name: string,
    description: GenerationDescription,
    largeTenants: readonly string[],
    tenant?: string,
  ): Promise<void> {
    const config = collectionConfig(description, this.#options, largeTenants, tenant);
    await orUndefinedWhere(
      status.ALREADY_EXISTS,
      this.#connection.change((api, init) => api.createCollection({ collection_name, ...config }, init)),
    );
    for (const [field_name, field_schema] of payloadIndexes(tenant !== undefined))
      await this.#connection.change((api, init) =>
        api.createFieldIndex({ collection_name, wait: true, field_name, field_schema }, init),
      );
  }

  /** Of collections that may be Headwater's. */
  async #names(): Promise<string[]> {
    const { collections } = await this.#connection.read((api, init) => api.getCollections({}, init));
    return collections.map(({ name }) => name).filter((name) => name.startsWith(`${this.#options.prefix}-`));
  }

  /** Undefined where the collection is not there, or not Headwater's. */
  async #metadata(collection_name: string): Promise<CollectionMetadata | undefined> {
    const known = this.#known.get(collection_name);
    if (known) return known;
    const info = await orUndefinedWhere(
      status.NOT_FOUND,
      this.#connection.read((api, init) => api.getCollection({ collection_name }, init)),
    );
    const metadata = info && readMetadata(info);
    // Another deployment's prefix may begin with this one.
    if (!metadata || collectionName(this.#options.prefix, metadata) !== collection_name) return undefined;
    this.#known.set(collection_name, metadata);
    return metadata;
  }
}

function toDescription({ generation, fingerprint, dimensions }: CollectionMetadata): GenerationDescription {
  return { generation, fingerprint, dimensions };
}

async function orUndefinedWhere<T>(code: number, work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof HeadwaterError && error.code === code) return undefined;
    throw error;
  }
}
