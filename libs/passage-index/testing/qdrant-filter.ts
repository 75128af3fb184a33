import type { Schemas } from "@qdrant/js-client-rest";
import { QdrantFault } from "./qdrant-fault.ts";

type Filter = Schemas["Filter"];
type Payload = Readonly<Record<string, unknown>>;
export type IndexType = "keyword" | "integer" | "bool";
export type Matches = (payload: Payload) => boolean;

/** What the filter needs of the collection. */
export interface FieldIndexes {
  typeOf(field: string): IndexType | undefined;
  /** Slots of the points with this value; undefined where the field has no keyword index. */
  slotsWith(field: string, value: string): ReadonlySet<number> | undefined;
}

/** As the request's shape lets it through. */
type Condition =
  | { readonly key: string; readonly match: { readonly value?: unknown; readonly any?: readonly unknown[] } }
  | { readonly key: string; readonly range: Schemas["Range"] }
  | Filter;

/**
 * @throws QdrantFault where a field has no index for what is asked of it, as the server does in its strict mode: without
 *   an index it would read every point
 */
export function compile(filter: Filter | undefined, indexes: FieldIndexes): Matches {
  if (!filter) return () => true;
  const must = conditionsOf(filter, "must").map((condition) => compileCondition(condition, indexes));
  const should = conditionsOf(filter, "should").map((condition) => compileCondition(condition, indexes));
  return (payload) =>
    must.every((matches) => matches(payload)) &&
    (should.length === 0 || should.some((matches) => matches(payload)));
}

/** Slots of points that may match, where an index tells; undefined: any. */
export function candidates(
  filter: Filter | undefined,
  indexes: FieldIndexes,
): ReadonlySet<number> | undefined {
  if (!filter) return undefined;
  const narrowed = conditionsOf(filter, "must").flatMap((condition) => slotsOf(condition, indexes) ?? []);
  const should = conditionsOf(filter, "should").map((condition) => slotsOf(condition, indexes));
  if (should.length > 0 && should.every((slots) => slots !== undefined)) narrowed.push(union(should));
  return narrowed.sort((a, b) => a.size - b.size)[0];
}

function slotsOf(condition: Condition, indexes: FieldIndexes): ReadonlySet<number> | undefined {
  if ("range" in condition) return undefined;
  if (!("key" in condition)) return candidates(condition as Filter, indexes);
  const values = valuesOf(condition.match);
  const slots = values.map((value) =>
    typeof value === "string" ? indexes.slotsWith(condition.key, value) : undefined,
  );
  return slots.every((found) => found !== undefined) ? union(slots) : undefined;
}

function union(sets: readonly ReadonlySet<number>[]): ReadonlySet<number> {
  const [first = new Set<number>()] = sets;
  return sets.length > 1 ? new Set(sets.flatMap((set) => [...set])) : first;
}

function compileCondition(condition: Condition, indexes: FieldIndexes): Matches {
  if (!("key" in condition)) return compile(condition as Filter, indexes);
  const { key } = condition;
  if ("range" in condition) {
    requireIndex(key, "integer", indexes);
    const { lt, lte, gt, gte } = condition.range;
    return isAny(
      key,
      (value) =>
        typeof value === "number" &&
        (lt == null || value < lt) &&
        (lte == null || value <= lte) &&
        (gt == null || value > gt) &&
        (gte == null || value >= gte),
    );
  }
  const values = new Set(valuesOf(condition.match));
  for (const value of values) requireIndex(key, indexFor(value), indexes);
  return isAny(key, (value) => values.has(value));
}

function valuesOf(match: {
  readonly value?: unknown;
  readonly any?: readonly unknown[];
}): readonly unknown[] {
  return match.any ?? [match.value];
}

/** A field that holds a list matches where one of its values does. */
function isAny(key: string, test: (value: unknown) => boolean): Matches {
  return (payload) => {
    const held = payload[key];
    return Array.isArray(held) ? held.some(test) : test(held);
  };
}

function indexFor(value: unknown): IndexType {
  if (typeof value === "string") return "keyword";
  return typeof value === "boolean" ? "bool" : "integer";
}

function requireIndex(field: string, type: IndexType, indexes: FieldIndexes): void {
  if (indexes.typeOf(field) === type) return;
  throw new QdrantFault(
    400,
    `Bad request: Index required but not found for "${field}" of one of the following types: [${type}]. Help: Create an index for this key or use a different filter.`,
  );
}

function conditionsOf(filter: Filter, part: "must" | "should"): Condition[] {
  return (filter[part] ?? []) as Condition[];
}
