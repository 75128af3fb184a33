import type { Shape } from "./qdrant-shape.ts";
import {
  anyObject,
  boolean,
  choose,
  integer,
  isObject,
  listOf,
  literal,
  number,
  object,
  pointId,
  string,
} from "./qdrant-shape.ts";

/*
 * The bodies that the double takes: of Qdrant 1.18's OpenAPI description the part that Headwater uses, with its bounds.
 * What is not named here is refused, so that nothing is used that has not been thought about.
 */

const vector = listOf(number());
const hnsw = object(
  {},
  {
    m: integer(0),
    ef_construct: integer(4),
    full_scan_threshold: integer(0),
    max_indexing_threads: integer(0),
    on_disk: boolean,
    payload_m: integer(0),
  },
);
const optimizers = object({}, { indexing_threshold: integer(0), default_segment_number: integer(0) });
const scalarQuantization = object(
  { scalar: object({ type: literal("int8") }, { quantile: number(0.5, 1), always_ram: boolean }) },
  {},
);

export const createCollection = object(
  { vectors: object({ size: integer(1, 65_536), distance: literal("Cosine", "Dot") }, { on_disk: boolean }) },
  {
    shard_number: integer(1),
    replication_factor: integer(1),
    write_consistency_factor: integer(1),
    on_disk_payload: boolean,
    hnsw_config: hnsw,
    optimizers_config: optimizers,
    quantization_config: scalarQuantization,
    metadata: anyObject,
  },
);
export const updateCollection = object({}, { optimizers_config: optimizers });

const schemaParams: Readonly<Record<string, Shape>> = {
  keyword: object(
    { type: literal("keyword") },
    { is_tenant: boolean, on_disk: boolean, enable_hnsw: boolean },
  ),
  integer: object(
    { type: literal("integer") },
    { lookup: boolean, range: boolean, is_principal: boolean, on_disk: boolean, enable_hnsw: boolean },
  ),
  bool: object({ type: literal("bool") }, { on_disk: boolean, enable_hnsw: boolean }),
};
export const createFieldIndex = object({
  field_name: string,
  field_schema: choose((value) =>
    isObject(value) ? schemaParams[String(value["type"])] : literal(...Object.keys(schemaParams)),
  ),
});

export const changeAliases = object({
  actions: listOf(
    choose((value) => {
      if (!isObject(value)) return undefined;
      if ("create_alias" in value)
        return object({ create_alias: object({ collection_name: string, alias_name: string }) });
      if ("delete_alias" in value) return object({ delete_alias: object({ alias_name: string }) });
      return undefined;
    }),
  ),
});

const match = choose((value) => {
  if (!isObject(value)) return undefined;
  if ("value" in value)
    return object({ value: choose((held) => (typeof held === "number" ? int64 : scalar(held))) });
  if ("any" in value)
    return object({
      any: choose((held) => (Array.isArray(held) && held.some(isNumber) ? listOf(int64) : listOf(string))),
    });
  return undefined;
});
const int64 = integer(Number.MIN_SAFE_INTEGER);
const range = object({}, { lt: number(), gt: number(), gte: number(), lte: number() });

const condition: Shape = choose((value) => {
  if (!isObject(value)) return undefined;
  if (!("key" in value)) return filter;
  return "match" in value ? object({ key: string, match }) : object({ key: string, range });
});
/** An empty list of conditions is refused: with some of them it means all and with others none. */
const conditions: Shape = (value, path) => {
  listOf(condition)(value, path);
  literal(true)(Array.isArray(value) && value.length > 0, `${path} (has conditions)`);
};
const filter: Shape = object({}, { must: conditions, should: conditions });

const withPayload = choose((value) => {
  if (Array.isArray(value)) return listOf(string);
  return isObject(value) ? object({ include: listOf(string) }) : boolean;
});

export const upsertPoints = object({
  points: listOf(object({ id: pointId, vector }, { payload: anyObject })),
});
export const deletePoints = choose((value) => {
  if (!isObject(value)) return undefined;
  return "filter" in value ? object({ filter }) : object({ points: listOf(pointId) });
});
export const setPayload = choose((value) => {
  if (!isObject(value)) return undefined;
  return "filter" in value
    ? object({ payload: anyObject, filter })
    : object({ payload: anyObject, points: listOf(pointId) });
});
export const queryPoints = object(
  { query: vector },
  {
    filter,
    limit: integer(1),
    with_payload: withPayload,
    with_vector: boolean,
    params: object(
      {},
      {
        hnsw_ef: integer(0),
        exact: boolean,
        indexed_only: boolean,
        quantization: object({}, { ignore: boolean, rescore: boolean, oversampling: number(1) }),
      },
    ),
  },
);
export const scrollPoints = object(
  {},
  { offset: pointId, limit: integer(1), filter, with_payload: withPayload, with_vector: boolean },
);
export const countPoints = object({}, { filter, exact: boolean });

function scalar(value: unknown): Shape {
  return typeof value === "boolean" ? boolean : string;
}

function isNumber(value: unknown): boolean {
  return typeof value === "number";
}
