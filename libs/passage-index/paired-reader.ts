import { HeadwaterError, status } from "@headwater/errors";
import { documentKey } from "./document-key.ts";
import type { LexicalEngine, RevisedHit, VectorEngine } from "./engine.ts";
import { maxEngineLimit } from "./engine.ts";
import { KnownPositions } from "./known-positions.ts";
import type { Ledger, LedgerRecord } from "./ledger.ts";
import { isAfter } from "./ledger.ts";
import type { PassageFilter, ScoredPassage } from "./passage-index.ts";

export interface PairedReaderParts {
  readonly lexical: LexicalEngine;
  readonly vector: VectorEngine;
  readonly ledger: Ledger;
}

/** Asks an engine for so many hits. */
type Ask = (limit: number) => Promise<RevisedHit[]>;

/**
 * Searches in a row that a change of a document among the hits may spoil. Each takes a commit between a search and the
 * question that follows it, milliseconds later; after so many the answer is given as the last of them has it.
 */
const maxSpoilt = 10;

/**
 * Searches both engines, and keeps the hits of revisions that the ledger names. Whether a revision was whole when the
 * engine looked is told by the ledger's order: an entry that is no newer than what this reader had seen before it
 * searched was written before, and after the passages that it names.
 */
export class PairedReader {
  readonly #parts: PairedReaderParts;
  readonly #known = new KnownPositions();

  constructor(parts: PairedReaderParts) {
    this.#parts = parts;
  }

  searchLexical(
    query: string,
    filter: PassageFilter,
    limit: number,
    signal: AbortSignal | undefined,
  ): Promise<ScoredPassage[]> {
    const { lexical } = this.#parts;
    return fill(limit, (count) =>
      this.#named(filter.tenant, (most) => lexical.search(query, filter, most, signal), count, signal),
    );
  }

  async searchVector(
    vector: Float32Array,
    filter: PassageFilter,
    limit: number,
    signal: AbortSignal | undefined,
  ): Promise<ScoredPassage[]> {
    const engine = this.#parts.vector;
    const ask =
      (visibleOnly: boolean): Ask =>
      (most) =>
        engine.search(vector, filter, most, { visibleOnly, signal });
    try {
      return await fill(limit, (count) => this.#named(filter.tenant, ask(false), count, signal));
    } catch (thrown) {
      if (!(thrown instanceof LedgerUnavailable)) throw thrown;
      return fill(limit, async (count) => latest(await ask(true)(count)));
    }
  }

  /** Hits of revisions that the ledger names, out of the best `count`. */
  async #named(tenant: string, ask: Ask, count: number, signal: AbortSignal | undefined): Promise<Choice> {
    for (let spoilt = 0; ; spoilt += 1) {
      const known = this.#known.get(tenant);
      const hits = await ask(count);
      const records = await this.#readLedger(hits, signal);
      this.#known.learn(tenant, records.values());
      const changed = records
        .values()
        .some(({ entry, position }) => entry.passages > 0 && isAfter(position, known));
      if (changed && spoilt < maxSpoilt) continue;
      return {
        asked: hits.length,
        hits: hits.filter(
          ({ passage, revision }) => records.get(documentKey(passage))?.entry.revision === revision,
        ),
      };
    }
  }

  async #readLedger(
    hits: readonly RevisedHit[],
    signal: AbortSignal | undefined,
  ): Promise<Map<string, LedgerRecord>> {
    const documents = new Map(hits.map(({ passage }) => [documentKey(passage), passage]));
    const keys = [...documents.keys()];
    if (keys.length === 0) return new Map();
    try {
      const records = await this.#parts.ledger.read([...documents.values()], signal);
      return new Map(records.flatMap((record, at) => (record ? [[keys[at] ?? "", record]] : [])));
    } catch (thrown) {
      if (isDown(thrown)) throw new LedgerUnavailable(thrown);
      throw thrown;
    }
  }
}

interface Choice {
  /** Hits that the engine gave. */
  readonly asked: number;
  /** Those that readers may see. */
  readonly hits: readonly RevisedHit[];
}

/** Where hits had to be passed over, asks for more until there are enough or there are no more. */
async function fill(limit: number, choose: (count: number) => Promise<Choice>): Promise<ScoredPassage[]> {
  for (let count = limit; ; count = Math.min(4 * count, maxEngineLimit)) {
    const { asked, hits } = await choose(count);
    if (hits.length >= limit || asked < count || count === maxEngineLimit)
      return hits.slice(0, limit).map(({ revision: _, ...hit }) => hit);
  }
}

/** Without the ledger: of each document the highest revision that was marked as seen. */
function latest(hits: readonly RevisedHit[]): Choice {
  const highest = new Map<string, number>();
  for (const { passage, revision } of hits) {
    const key = documentKey(passage);
    highest.set(key, Math.max(revision, highest.get(key) ?? 0));
  }
  return {
    asked: hits.length,
    hits: hits.filter(({ passage, revision }) => highest.get(documentKey(passage)) === revision),
  };
}

/** Not the vector engine's own failure: it can still be asked for what it has marked. */
class LedgerUnavailable extends HeadwaterError {
  constructor(cause: HeadwaterError) {
    super({
      ...{ code: cause.code, reason: cause.reason as `HW_${string}`, message: cause.message, cause },
      action: cause.action,
      ...(cause.retryAfterMs !== undefined && { retryAfterMs: cause.retryAfterMs }),
    });
  }
}

function isDown(thrown: unknown): thrown is HeadwaterError {
  return (
    thrown instanceof HeadwaterError &&
    (thrown.code === status.UNAVAILABLE || thrown.code === status.RESOURCE_EXHAUSTED)
  );
}
