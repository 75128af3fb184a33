import type { DocumentKey } from "@headwater/passage-index";
import type {
  DeepPartial,
  Discrepancy,
  ReconcileFinding,
} from "@headwater/proto/services/headwater/v1/ingest";
import type { Finding } from "./evidence.ts";

/** Documents of each kind that are named. */
const maxExamples = 5;

/** Counts what was found; of as many documents as there may be it keeps a few. */
export class Tally {
  readonly #kinds = new Map<Discrepancy, { found: number; mended: number; examples: DocumentKey[] }>();

  found(findings: readonly Finding[]): void {
    for (const { discrepancy, key, blobs } of findings) {
      const kind = this.#kinds.get(discrepancy) ?? { found: 0, mended: 0, examples: [] };
      this.#kinds.set(discrepancy, kind);
      kind.found += weigh(blobs);
      if (kind.examples.length < maxExamples) kind.examples.push(key);
    }
  }

  mended(findings: readonly Finding[]): void {
    for (const { discrepancy, blobs } of findings) {
      const kind = this.#kinds.get(discrepancy);
      if (kind) kind.mended += weigh(blobs);
    }
  }

  toProto(): DeepPartial<ReconcileFinding>[] {
    return [...this.#kinds]
      .sort(([one], [other]) => one - other)
      .map(([discrepancy, { found, mended, examples }]) => ({
        ...{ discrepancy, found, mended },
        examples: examples.map(({ tenant, documentId }) => ({ tenant, id: documentId })),
      }));
  }
}

/** A document counts as one, blobs each for themselves. */
function weigh(blobs: readonly string[]): number {
  return Math.max(1, blobs.length);
}
