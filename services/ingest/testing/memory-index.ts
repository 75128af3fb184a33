import { HeadwaterError, status } from "@headwater/errors";
import type {
  DocumentKey,
  DocumentPassages,
  EmbeddedPassage,
  GenerationInfo,
  IndexedDocument,
  IndexFingerprint,
  PassageIndex,
  PassageIndexStore,
} from "@headwater/passage-index";

/** A generation of the indexes in memory. */
export class MemoryIndex implements PassageIndex {
  readonly passages = new Map<string, EmbeddedPassage>();
  readonly generation: string;
  readonly fingerprint: IndexFingerprint;
  readonly dimensions: number;
  /** Document id → passages that the vector index has lost. Damage for tests; a document written anew is whole. */
  readonly lostVectors = new Map<string, number>();
  commits = 0;
  /** Told before each write; may wait or throw. */
  onWrite: (documents: readonly DocumentKey[]) => Promise<void> | void = () => {};
  /** Told after each write, before whoever wrote hears of it; may wait. */
  onWritten: () => Promise<void> | void = () => {};

  constructor(generation: string, fingerprint: IndexFingerprint, dimensions: number) {
    this.generation = generation;
    this.fingerprint = fingerprint;
    this.dimensions = dimensions;
  }

  async replace(documents: readonly DocumentPassages[]): Promise<void> {
    await this.onWrite(documents);
    this.commits += 1;
    for (const document of documents) {
      this.#remove(document);
      for (const passage of document.passages) this.passages.set(passage.id, passage);
    }
    await this.onWritten();
  }

  async remove(documents: readonly DocumentKey[]): Promise<void> {
    await this.onWrite(documents);
    for (const document of documents) this.#remove(document);
  }

  async count(): Promise<number> {
    return this.passages.size;
  }

  /** Texts of a document's passages, in order, each with its version. */
  textsOf(tenant: string, documentId: string): string[] {
    return [...this.passages.values()]
      .filter((passage) => passage.tenant === tenant && passage.documentId === documentId)
      .sort((a, b) => a.ordinal - b.ordinal)
      .map((passage) => `${passage.version}:${passage.text}`);
  }

  async *listDocuments(tenant?: string, documentIds?: readonly string[]): AsyncGenerator<IndexedDocument> {
    const counts = new Map<string, IndexedDocument>();
    for (const { tenant: owner, documentId, version } of [...this.passages.values()]) {
      if (tenant !== undefined && (owner !== tenant || documentIds?.includes(documentId) === false)) continue;
      const key = JSON.stringify([owner, documentId, version]);
      const passages = (counts.get(key)?.lexicalPassages ?? 0) + 1;
      const lost = this.lostVectors.get(documentId) ?? 0;
      counts.set(key, {
        ...{ tenant: owner, documentId, version, lexicalPassages: passages },
        vectorPassages: passages - lost,
      });
    }
    yield* counts.values();
  }

  async optimize(): Promise<void> {}
  searchLexical = notFaked;
  searchVector = notFaked;

  #remove({ tenant, documentId }: DocumentKey): void {
    this.lostVectors.delete(documentId);
    for (const [id, passage] of this.passages)
      if (passage.tenant === tenant && passage.documentId === documentId) this.passages.delete(id);
  }
}

/** Indexes in memory, for tests of what comes before them. */
export class MemoryIndexStore implements PassageIndexStore {
  #active: MemoryIndex | undefined;
  #created = 0;
  readonly all = new Set<MemoryIndex>();

  /** The generation that serves; there must be one. */
  get current(): MemoryIndex {
    if (!this.#active) throw new Error("no generation is active");
    return this.#active;
  }

  async active(): Promise<MemoryIndex | undefined> {
    return this.#active;
  }

  async create(fingerprint: IndexFingerprint, dimensions: number): Promise<MemoryIndex> {
    const index = new MemoryIndex(`generation-${++this.#created}`, fingerprint, dimensions);
    this.all.add(index);
    return index;
  }

  async generations(): Promise<GenerationInfo[]> {
    return [...this.all].map((index) => ({
      ...{ generation: index.generation, fingerprint: index.fingerprint, dimensions: index.dimensions },
      active: index === this.#active,
    }));
  }

  async open(generation: string): Promise<MemoryIndex | undefined> {
    return [...this.all].find((index) => index.generation === generation);
  }

  async activate(index: PassageIndex): Promise<void> {
    this.#active = [...this.all].find(({ generation }) => generation === index.generation);
  }

  async dropInactive(): Promise<void> {
    for (const index of this.all) if (index !== this.#active) this.all.delete(index);
  }

  async checkHealth(): Promise<void> {}
  async close(): Promise<void> {}
}

async function notFaked(): Promise<never> {
  throw new HeadwaterError({
    code: status.UNIMPLEMENTED,
    reason: "HW_METHOD_UNKNOWN",
    message: "Not faked.",
  });
}
