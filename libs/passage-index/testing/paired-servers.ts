import assert from "node:assert/strict";
import { readSettings } from "@headwater/settings";
import type { ElasticOptions } from "../elastic-options.ts";
import { readElasticOptions } from "../elastic-options.ts";
import { openElasticStore } from "../elastic-store.ts";
import type { EngineStore, VectorEngine } from "../engine.ts";
import { passageIndexSettings } from "../open-passage-index-store.ts";
import type { LexicalStore, PairedStoreOptions } from "../paired-store.ts";
import { PairedStore } from "../paired-store.ts";
import { readQdrantOptions } from "../qdrant-options.ts";
import { openQdrantStore } from "../qdrant-store.ts";
import type { QdrantDouble } from "./qdrant-double.ts";
import { startQdrantDouble } from "./qdrant-double.ts";

/** A real Elasticsearch, and the Qdrant that QDRANT_URL names or a double of it. */
export class PairedServers {
  readonly #elastic: string;
  readonly #prefixes = new Set<string>();
  #qdrant: string | undefined = process.env["QDRANT_URL"] || undefined;
  /** Undefined where there is a real one. */
  double: QdrantDouble | undefined;

  private constructor(elastic: string) {
    this.#elastic = elastic;
  }

  static async start(elastic: string): Promise<PairedServers> {
    const servers = new PairedServers(elastic);
    if (servers.#qdrant === undefined) servers.double = await startQdrantDouble();
    return servers;
  }

  get name(): string {
    return `Elasticsearch and ${this.double ? "a Qdrant double" : "Qdrant"}`;
  }

  /** @param prefix what it makes is removed by `stop` */
  open(prefix: string, options: Partial<PairedStoreOptions> = {}): PairedStore {
    return new PairedStore({
      ...this.stores(prefix),
      onError: (error) => assert.fail(String(error)),
      ...options,
    });
  }

  /** For a process of its own; what it makes is removed by `stop`. */
  environment(prefix: string): Record<string, string> {
    this.#prefixes.add(prefix);
    return {
      HEADWATER_ELASTICSEARCH_URL: this.#elastic,
      HEADWATER_ELASTICSEARCH_PREFIX: prefix,
      HEADWATER_QDRANT_URL: this.#qdrant ?? this.double?.url ?? "",
      HEADWATER_QDRANT_PREFIX: prefix,
    };
  }

  stores(
    prefix: string,
    elastic: Partial<ElasticOptions> = {},
  ): { readonly lexical: LexicalStore; readonly vector: EngineStore<VectorEngine> } {
    const values = readSettings(passageIndexSettings, this.environment(prefix));
    const options = readElasticOptions(values);
    const qdrant = readQdrantOptions(values);
    assert(options && qdrant);
    return { lexical: openElasticStore({ ...options, ...elastic }), vector: openQdrantStore(qdrant) };
  }

  async stop(): Promise<void> {
    for (const prefix of this.#prefixes) {
      const { lexical, vector } = this.stores(prefix);
      for (const store of [lexical, vector]) {
        for (const { generation } of await store.list()) await store.drop(generation);
        await store.close();
      }
    }
    await this.double?.stop();
  }
}
