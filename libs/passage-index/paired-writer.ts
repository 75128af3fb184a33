import { randomUUID } from "node:crypto";
import { HeadwaterError, status } from "@headwater/errors";
import { documentKey } from "./document-key.ts";
import type { DocumentRevision, LexicalEngine, RevisedPassages, VectorEngine } from "./engine.ts";
import { checkDimensions } from "./index-errors.ts";
import type { Ledger, LedgerRecord } from "./ledger.ts";
import type { DocumentKey, DocumentPassages } from "./passage-index.ts";
import type { RevisionClock } from "./revision-clock.ts";
import { abandonedAfterMs } from "./revision-clock.ts";

export interface PairedParts {
  readonly lexical: LexicalEngine;
  readonly vector: VectorEngine;
  readonly ledger: Ledger;
  readonly clock: RevisionClock;
  readonly dimensions: number;
}

/** What is to be seen of a document, and what the ledger says until then. */
interface Draft {
  readonly document: DocumentPassages;
  readonly record: LedgerRecord | undefined;
}

interface Named {
  readonly named: readonly Draft[];
  /** Others wrote these documents meanwhile, under higher revisions. */
  readonly superseded: readonly Draft[];
}

/** Writers who may come in between before one gives the batch back to its caller, who tries again. */
const maxRounds = 20;

/** Writes documents to both engines, and then names them in the ledger; see docs/decisions/0007-paired-index.md. */
export class PairedWriter {
  readonly #parts: PairedParts;
  /** Batches of one process take turns, so that they end in the order in which they began. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: PairedParts) {
    this.#parts = parts;
  }

  async replace(documents: readonly DocumentPassages[]): Promise<void> {
    for (const { vector } of documents.flatMap(({ passages }) => passages))
      checkDimensions(vector, this.#parts.dimensions);
    await this.#inTurn(() => this.#write(documents));
  }

  async remove(documents: readonly DocumentKey[]): Promise<void> {
    await this.#inTurn(() =>
      this.#write(
        documents.map(({ tenant, documentId }) => ({ tenant, documentId, version: 0, passages: [] })),
      ),
    );
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #write(documents: readonly DocumentPassages[]): Promise<void> {
    // The last one counts where a document is in the batch twice.
    const newest = [...new Map(documents.map((document) => [documentKey(document), document])).values()];
    if (newest.length === 0) return;
    // Before the ledger is read: a writer who sleeps until the answer is old must not have the highest revision.
    const begun = this.#parts.clock.next(0);
    const drafts = (await this.#draft(newest)).filter(
      ({ document, record }) => record || document.passages.length > 0,
    );
    if (drafts.length === 0) return;
    const known = drafts.map(({ record }) => Math.max(record?.entry.revision ?? 0, record?.entry.fence ?? 0));
    const highest = Math.max(...known);
    const revision = highest < begun ? begun : this.#parts.clock.next(highest);
    await this.#writeBoth(drafts, revision);
    // After so long a pause housekeeping may have removed what was written.
    if (this.#parts.clock.age(revision) > abandonedAfterMs) throw contended();
    const { named, superseded } = await this.#name(drafts, revision);
    await Promise.all([this.#tidy(named, revision), this.#takeBack(superseded, revision)]);
  }

  async #draft(documents: readonly DocumentPassages[]): Promise<Draft[]> {
    const records = await this.#parts.ledger.read(documents);
    return documents.map((document, at) => ({ document, record: records[at] }));
  }

  async #writeBoth(drafts: readonly Draft[], revision: number): Promise<void> {
    const revised = drafts.flatMap(({ document }): RevisedPassages[] =>
      document.passages.length > 0 ? [{ ...document, revision }] : [],
    );
    if (revised.length === 0) return;
    const { lexical, vector } = this.#parts;
    const written = await Promise.allSettled([lexical.write(revised), vector.write(revised)]);
    const errors = written.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    if (errors.length === 0) return;
    // What cannot be taken back now, as the engine that failed will refuse this too, housekeeping finds.
    await this.#takeBack(drafts, revision).catch(() => {});
    // A document is judged only when no engine is down.
    throw errors.find((error) => HeadwaterError.from(error).transient) ?? errors[0];
  }

  /** One step a document: from here on readers see it. */
  async #name(drafts: readonly Draft[], revision: number): Promise<Named> {
    const attempt = randomUUID();
    const named: Draft[] = [];
    const superseded: Draft[] = [];
    let waiting = drafts;
    for (let round = 1; waiting.length > 0; round += 1) {
      if (round > maxRounds) throw contended();
      const changedAt = Date.now();
      const made = await this.#parts.ledger.write(
        waiting.map(({ document, record }) => ({
          entry: {
            ...{ tenant: document.tenant, documentId: document.documentId },
            ...{ revision, version: document.version, passages: document.passages.length },
            ...{ fence: record?.entry.fence ?? 0, attempt, changedAt },
          },
          instead: record,
        })),
      );
      named.push(...waiting.filter((_, at) => made[at]));
      const missed = waiting.filter((_, at) => !made[at]);
      waiting = [];
      if (missed.length === 0) break;
      const again = await this.#draft(missed.map(({ document }) => document));
      const still: Draft[] = [];
      for (const [at, draft] of again.entries()) {
        const entry = draft.record?.entry;
        // The entry was written, and the answer got lost; what was there before it is known from then.
        if (entry?.attempt === attempt) named.push(missed[at] ?? draft);
        else if (entry && entry.revision > revision) superseded.push(draft);
        // Given up after too long a pause, or the same number by chance: the caller gets another one.
        else if (entry && (entry.revision === revision || entry.fence >= revision)) throw contended();
        else still.push(draft);
      }
      waiting = still;
    }
    return { named, superseded };
  }

  /** Removes what readers see no more. Nothing is sent for a document that is new. */
  async #tidy(drafts: readonly Draft[], revision: number): Promise<void> {
    const { lexical, vector } = this.#parts;
    const present = toRevisions(
      drafts.filter(({ document }) => document.passages.length > 0),
      revision,
    );
    const replaced = toRevisions(
      drafts.filter(({ record }) => record),
      revision,
    );
    await Promise.all([
      replaced.length > 0 ? lexical.removeBelow(replaced) : undefined,
      (async () => {
        if (present.length > 0) await vector.markVisible(present);
        if (replaced.length > 0) await vector.removeBelow(replaced);
      })(),
    ]);
  }

  async #takeBack(drafts: readonly Draft[], revision: number): Promise<void> {
    const written = toRevisions(
      drafts.filter(({ document }) => document.passages.length > 0),
      revision,
    );
    if (written.length === 0) return;
    const { lexical, vector } = this.#parts;
    const removed = await Promise.allSettled([
      lexical.removeRevisions(written),
      vector.removeRevisions(written),
    ]);
    for (const one of removed) if (one.status === "rejected") throw one.reason;
  }
}

function toRevisions(drafts: readonly Draft[], revision: number): DocumentRevision[] {
  return drafts.map(({ document: { tenant, documentId } }) => ({ tenant, documentId, revision }));
}

function contended(): HeadwaterError {
  return new HeadwaterError({
    code: status.ABORTED,
    reason: "HW_INDEX_CONTENDED",
    message: "Other writers changed the same documents all the while.",
    action: "Try again.",
  });
}
