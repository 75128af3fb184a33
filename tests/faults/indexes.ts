import assert from "node:assert/strict";
import type { IndexedDocument, PassageIndexStore, ScoredPassage } from "@headwater/passage-index";
import { openPassageIndexStore, passageIndexSettings } from "@headwater/passage-index";
import { readSettings } from "@headwater/settings";

/** Passages of one tenant are fewer, so that each look sees all of them. */
const everything = 1000;
/** In each paragraph of the workload. */
const commonWord = "paragraph";

/** A document as a reader finds it in one of the indexes. */
export interface SeenDocument {
  readonly version: number;
  /** In order of ordinal. */
  readonly passages: readonly { readonly start: number; readonly end: number; readonly text: string }[];
}

/** Both indexes as search sees them, past the service that writes them. */
export class Indexes {
  readonly #store: PassageIndexStore;

  private constructor(store: PassageIndexStore) {
    this.#store = store;
  }

  /** @param environment settings of an installation */
  static async open(environment: Record<string, string>): Promise<Indexes> {
    const values = readSettings(passageIndexSettings, environment);
    return new Indexes(
      await openPassageIndexStore(values, { folder: "", readOnly: true, onError: () => {} }),
    );
  }

  async list(tenant: string): Promise<IndexedDocument[]> {
    const index = await this.#store.active();
    return index ? Array.fromAsync(index.listDocuments(tenant)) : [];
  }

  /** Documents by id. @throws AssertionError where one is there in two versions at once, or with a hole */
  async byWords(tenant: string): Promise<Map<string, SeenDocument>> {
    const index = await this.#store.active();
    return wholeDocuments((await index?.searchLexical(commonWord, { tenant }, everything)) ?? []);
  }

  /** The same, found by vector. */
  async byVectors(tenant: string): Promise<Map<string, SeenDocument>> {
    const index = await this.#store.active();
    if (!index) return new Map();
    const vector = new Float32Array(index.dimensions).fill(1 / Math.sqrt(index.dimensions));
    return wholeDocuments(await index.searchVector(vector, { tenant }, everything));
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}

function wholeDocuments(hits: readonly ScoredPassage[]): Map<string, SeenDocument> {
  assert(hits.length < everything, "one look sees all passages");
  const documents = new Map<string, SeenDocument>();
  for (const [id, found] of Map.groupBy(hits, ({ passage }) => passage.documentId)) {
    const passages = found.map(({ passage }) => passage).sort((a, b) => a.ordinal - b.ordinal);
    const versions = [...new Set(passages.map(({ version }) => version))];
    assert.equal(versions.length, 1, `${id} is seen in versions ${versions.join(" and ")} at once`);
    assert.deepEqual(
      passages.map(({ ordinal }) => ordinal),
      passages.map((_, at) => at),
      `passages of ${id}`,
    );
    documents.set(id, { version: versions[0] ?? 0, passages });
  }
  return documents;
}
