import type { Schemas } from "@qdrant/js-client-rest";
import type { Query, Scroll } from "./qdrant-collection.ts";
import { QdrantCollection } from "./qdrant-collection.ts";
import { malformed, QdrantFault, unknownCollection, wrongInput } from "./qdrant-fault.ts";
import * as requests from "./qdrant-requests.ts";
import type { Shape } from "./qdrant-shape.ts";

/** One call of the API; the body is parsed and not yet checked. */
export interface Call {
  readonly method: string;
  /** Decoded parts of the path. */
  readonly path: readonly string[];
  readonly query: ReadonlyMap<string, string>;
  readonly body: unknown;
}

export type CollectionStatus = Schemas["CollectionStatus"];

interface Route {
  /** `*` stands for a collection's name. */
  readonly path: string;
  readonly query?: readonly string[];
  readonly body?: Shape;
  /** True: changes what is stored, so that it belongs into the journal. */
  readonly writes?: boolean;
  readonly work: (call: Call) => unknown;
}

const updateQuery = ["wait", "ordering", "timeout"] as const;
const readQuery = ["consistency", "timeout"] as const;
const defaultHnsw: Schemas["HnswConfig"] = { m: 16, ef_construct: 100, full_scan_threshold: 10_000 };
const forbiddenInNames = [...'<>:"/\\|?*\0\u001f'];

/** Qdrant's collections, aliases and points, without a network. */
export class QdrantService {
  status: CollectionStatus = "green";
  readonly #queueMs: number;
  readonly #collections = new Map<string, QdrantCollection>();
  readonly #aliases = new Map<string, string>();
  readonly #routes: ReadonlyMap<string, Route>;

  constructor(queueMs: number) {
    this.#queueMs = queueMs;
    const collections = "collections/*";
    const routes: Record<string, Route> = {
      "GET collections": { path: "collections", work: () => this.#listCollections() },
      "GET aliases": { path: "aliases", work: () => this.#listAliases() },
      "POST aliases": {
        ...{ path: "collections/aliases", query: ["timeout"], body: requests.changeAliases, writes: true },
        work: ({ body }) => this.#changeAliases(body as Schemas["ChangeAliasesOperation"]),
      },
      "GET collection": { path: collections, work: ({ path }) => this.#describe(this.#find(path)) },
      "PUT collection": {
        ...{ path: collections, query: ["timeout"], body: requests.createCollection, writes: true },
        work: ({ path, body }) => this.#create(path[1] ?? "", body as Schemas["CreateCollection"]),
      },
      "PATCH collection": {
        ...{ path: collections, query: ["timeout"], body: requests.updateCollection, writes: true },
        work: ({ path }) => this.#update(this.#find(path)),
      },
      "DELETE collection": {
        ...{ path: collections, query: ["timeout"], writes: true },
        work: ({ path }) => this.#drop(path[1] ?? ""),
      },
      "GET exists": {
        path: `${collections}/exists`,
        work: ({ path }) => ({ exists: this.#has(path[1] ?? "") }),
      },
      "PUT index": {
        ...{
          path: `${collections}/index`,
          query: updateQuery,
          body: requests.createFieldIndex,
          writes: true,
        },
        work: (call) => this.#createIndex(call),
      },
      "PUT points": {
        ...{ path: `${collections}/points`, query: updateQuery, body: requests.upsertPoints, writes: true },
        work: (call) => this.#upsert(call),
      },
      "POST delete": {
        ...{
          path: `${collections}/points/delete`,
          query: updateQuery,
          body: requests.deletePoints,
          writes: true,
        },
        work: (call) => this.#change(call, (collection, slots) => collection.delete(slots)),
      },
      "POST payload": {
        ...{
          path: `${collections}/points/payload`,
          query: updateQuery,
          body: requests.setPayload,
          writes: true,
        },
        work: (call) => {
          const { payload, points } = call.body as Schemas["SetPayload"];
          const missing = points?.find((id) => this.#find(call.path).slotsOfIds([id]).length === 0);
          if (missing !== undefined)
            throw new QdrantFault(404, `Not found: No point with id ${missing} found`);
          return this.#change(call, (collection, slots) => collection.setPayload(slots, payload));
        },
      },
      "POST query": {
        ...{ path: `${collections}/points/query`, query: readQuery, body: requests.queryPoints },
        work: ({ path, body }) => ({ points: this.#find(path).query(body as Query) }),
      },
      "POST scroll": {
        ...{ path: `${collections}/points/scroll`, query: readQuery, body: requests.scrollPoints },
        work: ({ path, body }) => this.#find(path).scroll(body as Scroll),
      },
      "POST count": {
        ...{ path: `${collections}/points/count`, query: ["timeout"], body: requests.countPoints },
        work: ({ path, body }) => ({
          count: this.#find(path).select((body as Schemas["CountRequest"]).filter as Schemas["Filter"])
            .length,
        }),
      },
    };
    this.#routes = new Map(
      Object.entries(routes).map(([name, route]) => [`${name.split(" ")[0]} ${route.path}`, route]),
    );
  }

  /** @throws QdrantFault */
  call(call: Call): { readonly result: unknown; readonly writes: boolean } {
    const [first, second, ...rest] = call.path;
    const literal = this.#routes.get(`${call.method} ${call.path.join("/")}`);
    const route = literal ?? this.#routes.get([`${call.method} ${first}/*`, ...rest].join("/"));
    if (!route || second === "") throw new QdrantFault(404, "");
    for (const [name, value] of call.query) checkQuery(route.query ?? [], name, value);
    if (route.body) route.body(call.body, "body");
    else if (call.body !== undefined) throw malformed("no body is expected");
    return { result: route.work(call), writes: route.writes ?? false };
  }

  /** Applies what lies in the queues. */
  flush(): void {
    for (const collection of this.#collections.values()) collection.flush();
  }

  #find(path: readonly string[]): QdrantCollection {
    const name = path[1] ?? "";
    const found = this.#collections.get(this.#aliases.get(name) ?? name);
    if (!found) throw unknownCollection(name);
    return found;
  }

  #has(name: string): boolean {
    return this.#collections.has(this.#aliases.get(name) ?? name);
  }

  #listCollections(): Schemas["CollectionsResponse"] {
    return { collections: [...this.#collections.keys()].map((name) => ({ name })) };
  }

  #listAliases(): Schemas["CollectionsAliasesResponse"] {
    const aliases = [...this.#aliases].map(([alias, name]) => ({ alias_name: alias, collection_name: name }));
    return { aliases };
  }

  #create(name: string, config: Schemas["CreateCollection"]): boolean {
    if (name.length > 255 || forbiddenInNames.some((character) => name.includes(character)))
      throw new QdrantFault(
        422,
        `Validation error in path parameters: [name: value ${JSON.stringify(name)} invalid]`,
      );
    if (this.#collections.has(name))
      throw new QdrantFault(409, `Wrong input: Collection \`${name}\` already exists!`);
    if (this.#aliases.has(name))
      throw wrongInput(`Can't create collection with name ${name}. Alias with the same name already exists`);
    this.#collections.set(name, new QdrantCollection(config, this.#queueMs));
    return true;
  }

  /** A change of the configuration is what wakes an optimizer that waits for one. */
  #update(_: QdrantCollection): boolean {
    if (this.status === "grey") this.status = "green";
    return true;
  }

  #drop(name: string): boolean {
    for (const [alias, collection] of this.#aliases) if (collection === name) this.#aliases.delete(alias);
    this.#collections.get(name)?.flush();
    return this.#collections.delete(name);
  }

  #changeAliases({ actions }: Schemas["ChangeAliasesOperation"]): boolean {
    for (const action of actions) {
      if ("delete_alias" in action) this.#aliases.delete(action.delete_alias.alias_name);
      if (!("create_alias" in action)) continue;
      const { alias_name: alias, collection_name: name } = action.create_alias;
      if (!this.#collections.has(name)) throw unknownCollection(name);
      if (this.#collections.has(alias))
        throw new QdrantFault(409, `Wrong input: Collection \`${alias}\` already exists!`);
      this.#aliases.set(alias, name);
    }
    return true;
  }

  #createIndex(call: Call): Schemas["UpdateResult"] {
    const { field_name: field, field_schema: schema } = call.body as Schemas["CreateFieldIndex"];
    const collection = this.#find(call.path);
    return collection.write(isTrue(call, "wait"), () =>
      collection.createIndex(field, schema as Schemas["PayloadFieldSchema"]),
    );
  }

  #upsert(call: Call): Schemas["UpdateResult"] {
    const { points } = call.body as { points: Parameters<QdrantCollection["upsert"]>[0] };
    const collection = this.#find(call.path);
    for (const { vector } of points) collection.checkVector(vector);
    return collection.write(isTrue(call, "wait"), () => collection.upsert(points));
  }

  /** What a filter selects is looked up when the write is applied, not when it is taken. */
  #change(
    call: Call,
    work: (collection: QdrantCollection, slots: number[]) => void,
  ): Schemas["UpdateResult"] {
    const collection = this.#find(call.path);
    const selector = call.body as { points?: (string | number)[]; filter?: Schemas["Filter"] };
    const slots = () =>
      selector.points ? collection.slotsOfIds(selector.points) : collection.select(selector.filter);
    slots();
    return collection.write(isTrue(call, "wait"), () => work(collection, slots()));
  }

  #describe(collection: QdrantCollection): Schemas["CollectionInfo"] {
    const { vectors, hnsw_config, quantization_config, metadata, shard_number, ...params } =
      collection.config;
    const { replication_factor, write_consistency_factor, on_disk_payload } = params;
    const schema = [...collection.fields].map(([field, fieldParams]) => {
      const info = { data_type: fieldParams.type, params: fieldParams, points: collection.points };
      return [field, info];
    });
    return {
      status: this.status,
      optimizer_status: this.status === "red" ? { error: "told to fail" } : "ok",
      indexed_vectors_count: 0,
      points_count: collection.points,
      segments_count: 1,
      config: {
        params: {
          ...(vectors && { vectors }),
          shard_number: shard_number ?? 1,
          replication_factor: replication_factor ?? 1,
          write_consistency_factor: write_consistency_factor ?? 1,
          on_disk_payload: on_disk_payload ?? true,
        },
        hnsw_config: { ...defaultHnsw, ...(hnsw_config as Schemas["HnswConfig"] | undefined) },
        optimizer_config: { default_segment_number: 0, flush_interval_sec: 5 },
        ...(quantization_config && { quantization_config }),
        ...(metadata && { metadata }),
      },
      payload_schema: Object.fromEntries(schema),
    };
  }
}

function checkQuery(known: readonly string[], name: string, value: string): void {
  const wrong = (message: string) =>
    new QdrantFault(400, `Deserialize error in query parameters: ${name}: ${message}`);
  if (!known.includes(name)) throw wrong("unknown field");
  if (name === "wait" && value !== "true" && value !== "false") throw wrong("expected `true` or `false`");
  if (name === "ordering" && !["weak", "medium", "strong"].includes(value)) throw wrong("unknown variant");
  if (name === "timeout" && !/^[1-9]\d*$/.test(value)) throw wrong("invalid, must be 1 or larger");
}

/** The server does not wait unless it is told to. */
function isTrue({ query }: Call, name: string): boolean {
  return query.get(name) === "true";
}
