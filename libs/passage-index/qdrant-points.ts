import { hash } from "node:crypto";
import type { Schemas } from "@qdrant/js-client-rest";
import { attributeLabel, documentKey } from "./document-key.ts";
import type { HeldRevision, RevisedHit } from "./engine.ts";
import type { DocumentKey, EmbeddedPassage, Passage } from "./passage-index.ts";

type Point = Schemas["PointStruct"] & { readonly payload: PointPayload; readonly vector: number[] };

/** What a point holds beside its vector. All but `passage` and `version` is there to be filtered on. */
interface PointPayload extends HeldFields {
  readonly visible: boolean;
  readonly attributes: readonly string[];
  readonly mediaType: string;
  readonly observedAt: number;
  /** The passage as JSON text: so it comes back to the last code unit, also where a string has half a surrogate pair. */
  readonly passage: string;
}

type HeldFields = Omit<HeldRevision, "passages">;
export const heldFields = ["tenant", "documentId", "revision", "version"] satisfies (keyof HeldFields)[];

/**
 * The same for the same passage and revision, so that writing again is harmless. A UUID of version 8 (RFC 9562): 60 bits
 * of it name the document and 62 the passage and revision. In the order of ids, in which Qdrant lists points, those of a
 * document are neighbours.
 */
export function pointId(document: DocumentKey, passageId: string, revision: number): string {
  const first = documentDigits(document);
  const second = hash("sha256", `${revision}/${passageId}`);
  const variant = "89ab"[Number.parseInt(second.slice(0, 1), 16) % 4];
  return [
    ...[first.slice(0, 8), first.slice(8, 12), `8${first.slice(12, 15)}`],
    ...[`${variant}${second.slice(1, 4)}`, second.slice(4, 16)],
  ].join("-");
}

function documentDigits(document: DocumentKey): string {
  return hash("sha256", documentKey(document));
}

/** The part of a point's id that those of its document have in common. */
export function documentPart(id: string | number): string {
  return String(id).slice(0, 18);
}

export function toPoint({ vector, ...passage }: EmbeddedPassage, revision: number): Point {
  const { tenant, documentId, version, observedAt } = passage;
  const labels = Object.entries(passage.attributes).map(([key, value]) => attributeLabel(key, value));
  return {
    id: pointId(passage, passage.id, revision),
    vector: Array.from(vector),
    payload: {
      ...{ tenant, documentId, revision, version, observedAt },
      visible: false,
      mediaType: passage.mediaType.toWellFormed(),
      attributes: labels,
      passage: JSON.stringify(passage),
    },
  };
}

/** @throws SyntaxError where the point was not made by `toPoint` */
export function toHit({ score, payload, vector }: Schemas["ScoredPoint"]): RevisedHit {
  const { passage, revision } = payload as unknown as PointPayload;
  return {
    passage: JSON.parse(passage) as Passage,
    revision,
    score,
    vector: Float32Array.from(vector as number[]),
  };
}

/** Of one request; what Qdrant Cloud's strict mode lets through. */
const maxPoints = 1000;

/** Cuts points into requests of at most `maxBytes` of JSON each; a point that is larger goes alone. */
export function* inBatches(points: Iterable<Point>, maxBytes: number): Generator<Point[]> {
  let batch: Point[] = [];
  let bytes = 0;
  for (const point of points) {
    const size = sizeOf(point);
    if (batch.length === maxPoints || (batch.length > 0 && bytes + size > maxBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(point);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

/** Digits that a component takes in JSON at most, with its comma. */
const bytesOfComponent = 25;

/** At least the bytes of its JSON. */
function sizeOf({ vector, payload }: Point): number {
  return 100 + vector.length * bytesOfComponent + Buffer.byteLength(JSON.stringify(payload));
}

/** Counts points, in the order of their ids, by document and revision. */
export class RevisionCounter {
  #part = "";
  #held = new Map<string, { -readonly [Field in keyof HeldRevision]: HeldRevision[Field] }>();

  /** @returns the revisions of documents that are counted to the end */
  add({ id, payload }: Schemas["Record"]): HeldRevision[] {
    const part = documentPart(id);
    const done = part === this.#part ? [] : this.take();
    this.#part = part;
    const { tenant, documentId, revision, version } = payload as unknown as HeldFields;
    const key = `${documentKey({ tenant, documentId })}/${revision}`;
    const held = this.#held.get(key);
    if (held) held.passages += 1;
    else this.#held.set(key, { tenant, documentId, revision, version, passages: 1 });
    return done;
  }

  /** What is left at the end. */
  take(): HeldRevision[] {
    const held = [...this.#held.values()];
    this.#held = new Map();
    return held;
  }
}
