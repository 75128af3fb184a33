import type { Schemas } from "@qdrant/js-client-rest";
import { wrongInput } from "./qdrant-fault.ts";
import type { FieldIndexes, IndexType } from "./qdrant-filter.ts";
import { candidates, compile } from "./qdrant-filter.ts";

type PointId = string | number;
type Payload = Record<string, unknown>;

interface Selection {
  readonly filter?: Schemas["Filter"] | undefined;
  readonly with_payload?: boolean | readonly string[] | { readonly include: readonly string[] };
  readonly with_vector?: boolean;
}

export interface Query extends Selection {
  readonly query: readonly number[];
  readonly limit?: number;
}

export interface Scroll extends Selection {
  readonly limit?: number;
  readonly offset?: PointId;
}

/** The points of one collection: vectors in one array, so that a search is one loop over it. Exact, never approximate. */
export class QdrantCollection implements FieldIndexes {
  readonly config: Schemas["CreateCollection"];
  readonly fields = new Map<string, Exclude<Schemas["PayloadFieldSchema"], string>>();
  readonly #queueMs: number;
  readonly #size: number;
  readonly #cosine: boolean;
  readonly #slotOf = new Map<PointId, number>();
  readonly #free: number[] = [];
  readonly #queue: (() => void)[] = [];
  readonly #keywords = new Map<string, Map<string, Set<number>>>();
  #ids: (PointId | undefined)[] = [];
  #payloads: Payload[] = [];
  #versions: number[] = [];
  #vectors = new Float32Array(0);
  /** Undefined: to be sorted again. */
  #sorted: PointId[] | undefined;
  #operation = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param queueMs as long as a write that nobody waits for lies in the queue */
  constructor(config: Schemas["CreateCollection"], queueMs: number) {
    this.config = config;
    this.#queueMs = queueMs;
    const { size, distance } = config.vectors as Schemas["VectorParams"];
    this.#size = size;
    this.#cosine = distance === "Cosine";
  }

  get points(): number {
    return this.#slotOf.size;
  }

  typeOf(field: string): IndexType | undefined {
    return this.fields.get(field)?.type as IndexType | undefined;
  }

  slotsWith(field: string, value: string): ReadonlySet<number> | undefined {
    const values = this.#keywords.get(field);
    return values && (values.get(value) ?? new Set());
  }

  createIndex(field: string, schema: Schemas["PayloadFieldSchema"]): void {
    const params = typeof schema === "string" ? ({ type: schema } as Schemas["KeywordIndexParams"]) : schema;
    this.fields.set(field, params);
    if (params.type !== "keyword") return;
    this.#keywords.set(field, new Map());
    for (const slot of this.#slotOf.values()) this.#enter(slot, field);
  }

  /** @param wait false: applied later, in order, as the server's update queue does */
  write(wait: boolean, work: () => void): Schemas["UpdateResult"] {
    this.#operation += 1;
    this.#queue.push(work);
    if (wait) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), this.#queueMs);
    return { operation_id: this.#operation, status: wait ? "completed" : "acknowledged" };
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const work of this.#queue.splice(0)) work();
  }

  /** @throws QdrantFault; before anything is queued */
  checkVector(vector: readonly number[]): void {
    if (vector.length !== this.#size)
      throw wrongInput(`Vector dimension error: expected dim: ${this.#size}, got ${vector.length}`);
  }

  upsert(
    points: readonly {
      readonly id: PointId;
      readonly vector: readonly number[];
      readonly payload?: Payload;
    }[],
  ) {
    for (const { id, vector, payload = {} } of points) {
      const key = normalized(id);
      let slot = this.#slotOf.get(key);
      if (slot === undefined) {
        slot = this.#free.pop() ?? this.#ids.length;
        this.#reserve(slot);
        this.#slotOf.set(key, slot);
        this.#ids[slot] = key;
        this.#sorted = undefined;
      } else this.#leave(slot);
      this.#payloads[slot] = payload;
      this.#versions[slot] = this.#operation;
      this.#vectors.set(this.#prepared(vector), slot * this.#size);
      for (const field of this.#keywords.keys()) this.#enter(slot, field);
    }
  }

  delete(slots: readonly number[]): void {
    for (const slot of slots) {
      const id = this.#ids[slot];
      if (id === undefined) continue;
      this.#leave(slot);
      this.#slotOf.delete(id);
      this.#ids[slot] = undefined;
      this.#payloads[slot] = {};
      this.#free.push(slot);
      this.#sorted = undefined;
    }
  }

  setPayload(slots: readonly number[], payload: Payload): void {
    for (const slot of slots) {
      this.#leave(slot);
      this.#payloads[slot] = { ...this.#payloads[slot], ...payload };
      this.#versions[slot] = this.#operation;
      for (const field of this.#keywords.keys()) this.#enter(slot, field);
    }
  }

  slotsOfIds(ids: readonly PointId[]): number[] {
    return ids.flatMap((id) => this.#slotOf.get(normalized(id)) ?? []);
  }

  /** @throws QdrantFault where the filter asks for a field without index */
  select(filter: Schemas["Filter"] | undefined): number[] {
    const matches = compile(filter, this);
    const slots: number[] = [];
    for (const slot of candidates(filter, this) ?? this.#slotOf.values()) {
      const id = this.#ids[slot];
      if (id !== undefined && matches(this.#payloads[slot] ?? {})) slots.push(slot);
    }
    return slots;
  }

  query(request: Query): Schemas["ScoredPoint"][] {
    this.checkVector(request.query);
    const query = this.#prepared(request.query);
    const slots = this.select(request.filter);
    const scores = Float32Array.from(slots, (slot) => this.#dot(query, slot));
    return best(scores, request.limit ?? 10).map((at) => {
      const slot = slots[at] ?? 0;
      return { ...this.#record(slot, request), version: this.#versions[slot] ?? 0, score: scores[at] ?? 0 };
    });
  }

  scroll(request: Scroll): Schemas["ScrollResult"] {
    const { limit = 10, offset, filter } = request;
    const matches = compile(filter, this);
    this.#sorted ??= [...this.#slotOf.keys()].sort(byId);
    const points: Schemas["Record"][] = [];
    let at = offset === undefined ? 0 : lowerBound(this.#sorted, normalized(offset));
    for (; at < this.#sorted.length; at += 1) {
      const id = this.#sorted[at] ?? 0;
      const slot = this.#slotOf.get(id) ?? 0;
      if (!matches(this.#payloads[slot] ?? {})) continue;
      if (points.length === limit) return { points, next_page_offset: id };
      points.push(this.#record(slot, { with_payload: true, ...request }));
    }
    return { points, next_page_offset: null };
  }

  #record(slot: number, { with_payload: payload = false, with_vector: vector = false }: Selection) {
    const record: Schemas["Record"] = { id: this.#ids[slot] ?? 0 };
    const held = this.#payloads[slot] ?? {};
    const fields =
      typeof payload === "boolean" ? undefined : "include" in payload ? payload.include : payload;
    if (fields) record.payload = Object.fromEntries(fields.flatMap((f) => (f in held ? [[f, held[f]]] : [])));
    else if (payload) record.payload = held;
    const start = slot * this.#size;
    if (vector) record.vector = Array.from(this.#vectors.subarray(start, start + this.#size));
    return record;
  }

  #dot(query: Float32Array, slot: number): number {
    const vectors = this.#vectors;
    const start = slot * this.#size;
    let sum = 0;
    for (let at = 0; at < query.length; at += 1)
      sum += (query[at] as number) * (vectors[start + at] as number);
    return sum;
  }

  /** For the cosine the server keeps vectors at length 1. */
  #prepared(vector: readonly number[]): Float32Array {
    const prepared = Float32Array.from(vector);
    const square = this.#cosine ? prepared.reduce((sum, value) => sum + value * value, 0) : 1;
    if (square < 1e-12 || Math.abs(square - 1) < 1e-6) return prepared;
    const length = Math.sqrt(square);
    return prepared.map((value) => value / length);
  }

  #reserve(slot: number): void {
    if ((slot + 1) * this.#size <= this.#vectors.length) return;
    const larger = new Float32Array(Math.max(64, slot * 2) * this.#size);
    larger.set(this.#vectors);
    this.#vectors = larger;
  }

  #enter(slot: number, field: string): void {
    const values = this.#keywords.get(field);
    for (const value of keywordsIn(this.#payloads[slot]?.[field])) {
      const slots = values?.get(value);
      if (slots) slots.add(slot);
      else values?.set(value, new Set([slot]));
    }
  }

  #leave(slot: number): void {
    for (const [field, values] of this.#keywords)
      for (const value of keywordsIn(this.#payloads[slot]?.[field])) {
        values.get(value)?.delete(slot);
        if (values.get(value)?.size === 0) values.delete(value);
      }
  }
}

function keywordsIn(held: unknown): string[] {
  return (Array.isArray(held) ? held : [held]).filter((value) => typeof value === "string");
}

/** Places of the `count` highest scores, best first. Equal ones come as they lie, which is what a server's order is too. */
function best(scores: Float32Array, count: number): number[] {
  const lowest = scores.length <= count ? Number.NEGATIVE_INFINITY : (scores.toSorted().at(-count) ?? 0);
  const above: number[] = [];
  const equal: number[] = [];
  for (let at = 0; at < scores.length; at += 1) {
    const score = scores[at] as number;
    if (score > lowest) above.push(at);
    else if (score === lowest) equal.push(at);
  }
  above.sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
  return [...above, ...equal.slice(0, Math.max(0, count - above.length))];
}

function normalized(id: PointId): PointId {
  return typeof id === "string" ? id.toLowerCase() : id;
}

/** Numbers before UUIDs, as the server has them. */
function byId(a: PointId, b: PointId): number {
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function lowerBound(sorted: readonly PointId[], id: PointId): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (byId(sorted[middle] ?? 0, id) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
