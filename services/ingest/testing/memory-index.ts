import { HeadwaterError, status } from "@headwater/errors";
import type {
  DocumentKey,
  DocumentPassages,
  EmbeddedPassage,
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
  commits = 0;
  /** Told before each write; may wait or throw. */
  onWrite: (documents: readonly DocumentKey[]) => Promise<void> | void = () => {};

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

  async *listDocuments(): AsyncGenerator<never> {}
  async optimize(): Promise<void> {}
  searchLexical = notFaked;
  searchVector = notFaked;

  #remove({ tenant, documentId }: DocumentKey): void {
    for (const [id, passage] of this.passages)
      if (passage.tenant === tenant && passage.documentId === documentId) this.passages.delete(id);
  }
}

/** Indexes in memory, for tests of what comes before them. */
export class MemoryIndexStore implements PassageIndexStore {
  #active: MemoryIndex | undefined;
  readonly generations = new Set<MemoryIndex>();

  /** The generation that serves; there must be one. */
  get current(): MemoryIndex {
    if (!this.#active) throw new Error("no generation is active");
    return this.#active;
  }

  async active(): Promise<MemoryIndex | undefined> {
    return this.#active;
  }

  async create(fingerprint: IndexFingerprint, dimensions: number): Promise<MemoryIndex> {
    const index = new MemoryIndex(`generation-${this.generations.size + 1}`, fingerprint, dimensions);
    this.generations.add(index);
    return index;
  }

  async activate(index: PassageIndex): Promise<void> {
    this.#active = [...this.generations].find(({ generation }) => generation === index.generation);
  }

  async dropInactive(): Promise<void> {
    for (const index of this.generations) if (index !== this.#active) this.generations.delete(index);
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
