import { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";
import type { SeededRandom } from "@headwater/testing/seeded-random";
import type { Step } from "../kill/workload.ts";
import { makeWorkload, outcomeOf, paragraphs } from "../kill/workload.ts";

/** A record for the log, written by a producer that knows nothing of ingest but the documented event. */
export interface EventRecord {
  readonly key: string;
  /** null: a tombstone. */
  readonly value: Buffer | null;
}

/** What must be known of a document at the end. */
export interface ExpectedDocument {
  readonly state: DocumentState;
  /** Of the catalog. */
  readonly version: number;
  /** What both indexes hold; undefined: nothing. */
  readonly served: { readonly version: number; readonly text: string } | undefined;
}

export interface FaultWorkload {
  readonly tenant: string;
  /** For the log, in order. */
  readonly records: readonly EventRecord[];
  /** For ingest's own door, in order; documents of their own. */
  readonly steps: readonly Step[];
  readonly expected: ReadonlyMap<string, ExpectedDocument>;
  /** Reason by key of the records that deserve a dead letter. */
  readonly deadLetters: ReadonlyMap<string, string>;
}

/** One document's events in the order in which they are sent, and what they come to. */
interface History {
  readonly records: readonly EventRecord[];
  readonly expected?: ExpectedDocument;
  readonly deadLetter?: string;
}

type MakeHistory = (of: DocumentEvents) => History;

/** Of ten documents one has each history; every tenth event or so is a poison. */
const histories: readonly MakeHistory[] = [
  (of) => ({ records: [of.put(1)], expected: of.indexed(1) }),
  (of) => ({ records: [of.put(1), of.put(2), of.put(3)], expected: of.indexed(3) }),
  // The older version comes after the newer one.
  (of) => ({ records: [of.put(1), of.put(3), of.put(2)], expected: of.indexed(3) }),
  (of) => ({ records: [of.put(2), of.put(1)], expected: of.indexed(2) }),
  (of) => ({
    records: [of.put(1), of.put(1), of.put(2), of.put(1), of.put(2)],
    expected: of.indexed(2),
  }),
  // A copy that comes after the tombstone does not bring the document back.
  (of) => ({
    records: [of.put(1), of.put(2), of.tombstone(), of.put(2), of.put(1)],
    expected: of.deleted(2),
  }),
  (of) => ({ records: [of.put(1), of.tombstone(), of.put(2)], expected: of.indexed(2) }),
  (of) => ({ records: [of.corrupt(1)], expected: of.failed(1), deadLetter: "HW_DOCUMENT_CORRUPT" }),
  // The version before goes on serving.
  (of) => ({
    records: [of.put(1), of.corrupt(2), of.put(1)],
    expected: { ...of.failed(2), served: { version: 1, text: of.text(1) } },
    deadLetter: "HW_DOCUMENT_CORRUPT",
  }),
  (of) => ({ records: [of.unreadable()], deadLetter: "HW_EVENT_MALFORMED" }),
];

/** Fewer would not have each history. */
export const leastDocuments = histories.length;

/** @param documents by way of the log; half as many more by way of Push */
export function makeFaultWorkload(random: SeededRandom, tenant: string, documents: number): FaultWorkload {
  const expected = new Map<string, ExpectedDocument>();
  const deadLetters = new Map<string, string>();
  const open: EventRecord[][] = [];
  for (let at = 0; at < documents; at += 1) {
    const of = new DocumentEvents(tenant, `event ${at}`, random);
    const history = histories[at % histories.length]?.(of);
    if (!history) continue;
    open.push([...history.records]);
    if (history.expected) expected.set(of.id, history.expected);
    if (history.deadLetter) deadLetters.set(of.key, history.deadLetter);
  }
  const steps = makeWorkload(Math.ceil(documents / 2));
  const left = outcomeOf(steps);
  for (const { id } of steps) {
    const served = left.get(id);
    if (served) expected.set(id, { state: DocumentState.INDEXED, version: served.version, served });
    // The workload of the kill suite deletes nothing that has a second version.
    else expected.set(id, { state: DocumentState.DELETED, version: newestOf(steps, id), served: undefined });
  }
  return { tenant, records: interleave(open, random), steps, expected, deadLetters };
}

/** Shuffles, but keeps each document's own order; a few documents at a time, so that their events are close. */
function interleave(open: readonly EventRecord[][], random: SeededRandom): EventRecord[] {
  const waiting = [...open];
  const active: EventRecord[][] = [];
  const mixed: EventRecord[] = [];
  while (waiting.length > 0 || active.length > 0) {
    while (active.length < 8 && waiting.length > 0) active.push(...waiting.splice(0, 1));
    const chosen = random.pick(active);
    const next = chosen.shift();
    if (next) mixed.push(next);
    if (chosen.length === 0) active.splice(active.indexOf(chosen), 1);
  }
  return mixed;
}

function newestOf(steps: readonly Step[], id: string): number {
  const upToDeletion = steps.slice(
    0,
    steps.findIndex((step) => step.kind === "delete" && step.id === id),
  );
  return Math.max(...upToDeletion.map((step) => (step.kind === "push" && step.id === id ? step.version : 0)));
}

/** Makes what a producer would write of one document. */
class DocumentEvents {
  readonly id: string;
  readonly key: string;
  readonly #tenant: string;
  readonly #lengths: readonly number[];

  constructor(tenant: string, id: string, random: SeededRandom) {
    this.#tenant = tenant;
    this.id = id;
    this.key = `${tenant}/${id}`;
    // Paragraphs by version: documents grow and shrink.
    this.#lengths = Array.from({ length: 4 }, () => random.integer(1, 5));
  }

  text(version: number): string {
    return paragraphs(this.id, version, this.#lengths[version] ?? 1);
  }

  put(version: number): EventRecord {
    return this.#record(version, "text/plain", Buffer.from(this.text(version)));
  }

  /** A poison: declared as a PDF, and none. */
  corrupt(version: number): EventRecord {
    return this.#record(version, "application/pdf", Buffer.from("%PDF-1.7\nbut nothing of one follows"));
  }

  /** A poison: not even an event. */
  unreadable(): EventRecord {
    return { key: this.key, value: Buffer.from('{"tenant": "cut off') };
  }

  tombstone(): EventRecord {
    return { key: this.key, value: null };
  }

  indexed(version: number): ExpectedDocument {
    return { state: DocumentState.INDEXED, version, served: { version, text: this.text(version) } };
  }

  deleted(version: number): ExpectedDocument {
    return { state: DocumentState.DELETED, version, served: undefined };
  }

  failed(version: number): ExpectedDocument {
    return { state: DocumentState.FAILED, version, served: undefined };
  }

  /** As headwater/v1/event.proto documents it, in its JSON form. */
  #record(version: number, mediaType: string, content: Buffer): EventRecord {
    const event = {
      ...{ tenant: this.#tenant, id: this.id, version: String(version), mediaType },
      inline: content.toString("base64"),
    };
    return { key: this.key, value: Buffer.from(JSON.stringify(event)) };
  }
}
