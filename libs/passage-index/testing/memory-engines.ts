import { HeadwaterError, status } from "@headwater/errors";
import { documentKey } from "../document-key.ts";
import type {
  DocumentRevision,
  HeldRevision,
  LexicalEngine,
  PassageEngine,
  RevisedHit,
  RevisedPassages,
  VectorEngine,
} from "../engine.ts";
import type { Ledger, LedgerChange, LedgerEntry, LedgerRecord } from "../ledger.ts";
import type { DocumentKey, EmbeddedPassage } from "../passage-index.ts";

/** Which of the three servers a step is taken on. */
export type Server = "lexical" | "vector" | "ledger";
/**
 * Called before and after each thing that happens to one passage or one entry. It may wait, throw, or never return, as
 * for a process that was killed.
 */
export type Gate = (server: Server, place: "before" | "after") => Promise<void>;

interface Held {
  readonly passage: EmbeddedPassage;
  readonly revision: number;
  visible: boolean;
}

/** What the servers hold. They promise less than the real ones: nothing that takes two steps is seen as one. */
export class MemoryServers {
  readonly lexical = new Map<string, Held>();
  readonly vector = new Map<string, Held>();
  readonly ledger = new Map<string, LedgerRecord>();
  /** All entries that ever were, with the time of each; removed ones too. */
  readonly history: { readonly at: number; readonly key: string; readonly entry: LedgerEntry }[] = [];
  #time = 0;
  #sequence = 0;

  /** A moment between two steps; each is later than those before. */
  now(): number {
    this.#time += 1;
    return this.#time;
  }

  put(entry: LedgerEntry): void {
    this.#sequence += 1;
    const key = documentKey(entry);
    this.ledger.set(key, { entry, position: { term: 1, sequence: this.#sequence } });
    this.history.push({ at: this.now(), key, entry });
  }

  /** Clients of one process. */
  connect(gate: Gate): { lexical: LexicalEngine; vector: VectorEngine; ledger: Ledger } {
    const vector = new MemoryEngine(this.vector, "vector", gate);
    const lexical = new MemoryEngine(this.lexical, "lexical", gate);
    return {
      lexical: {
        ...toEngine(lexical),
        search: (_, { tenant }, limit) => lexical.find(tenant, limit, false),
      },
      vector: {
        ...toEngine(vector),
        // The vector engine removes by one request a document, the lexical one passage by passage.
        removeBelow: (documents) => vector.removeAtOnce(documents, isBelow),
        removeRevisions: (revisions) => vector.removeAtOnce(revisions, isSame),
        search: (_, { tenant }, limit, { visibleOnly }) => vector.find(tenant, limit, visibleOnly),
        markVisible: (revisions) => vector.markVisible(revisions),
      },
      ledger: new MemoryLedger(this, gate),
    };
  }
}

function toEngine(engine: MemoryEngine): PassageEngine {
  return {
    write: (documents) => engine.write(documents),
    removeBelow: (documents) => engine.remove(documents, isBelow),
    removeRevisions: (revisions) => engine.remove(revisions, isSame),
    count: async () => engine.held.size,
    list: (tenant) => engine.list(tenant),
    optimize: async () => {},
  };
}

class MemoryEngine {
  readonly held: Map<string, Held>;
  readonly #step: <T>(work: () => T) => Promise<T>;

  constructor(held: Map<string, Held>, server: Server, gate: Gate) {
    this.held = held;
    this.#step = stepsOf(server, gate);
  }

  async write(documents: readonly RevisedPassages[]): Promise<void> {
    for (const { passages, revision } of documents)
      for (const passage of passages)
        await this.#step(() =>
          this.held.set(`${passage.id} ${revision}`, { passage, revision, visible: false }),
        );
  }

  async remove(
    documents: readonly DocumentRevision[],
    isMeant: (held: number, of: number) => boolean,
  ): Promise<void> {
    for (const document of documents)
      for (const id of this.#idsOf(document, (held) => isMeant(held, document.revision)))
        await this.#step(() => this.held.delete(id));
  }

  /** As one request a document, which is done as a whole though its sender dies. */
  async removeAtOnce(
    documents: readonly DocumentRevision[],
    isMeant: (held: number, of: number) => boolean,
  ): Promise<void> {
    for (const document of documents)
      await this.#step(() => {
        for (const id of this.#idsOf(document, (held) => isMeant(held, document.revision)))
          this.held.delete(id);
      });
  }

  /** As `removeAtOnce`. */
  async markVisible(revisions: readonly DocumentRevision[]): Promise<void> {
    for (const document of revisions)
      await this.#step(() => {
        for (const id of this.#idsOf(document, (held) => held === document.revision)) {
          const held = this.held.get(id);
          if (held) held.visible = true;
        }
      });
  }

  /** What is there at one moment. */
  async find(tenant: string, limit: number, visibleOnly: boolean): Promise<RevisedHit[]> {
    const held = await this.#step(() => [...this.held].map(([id, one]) => ({ id, ...one })));
    return held
      .filter(({ passage, visible }) => passage.tenant === tenant && (visible || !visibleOnly))
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map(({ passage, revision }) => ({ passage, score: 1, revision }))
      .slice(0, limit);
  }

  async *list(tenant?: string): AsyncGenerator<HeldRevision> {
    const revisions = await this.#step(() => {
      const counts = new Map<string, HeldRevision>();
      for (const { passage, revision } of this.held.values()) {
        if (tenant !== undefined && passage.tenant !== tenant) continue;
        const { documentId, version } = passage;
        const key = `${documentKey(passage)} ${revision}`;
        const passages = (counts.get(key)?.passages ?? 0) + 1;
        counts.set(key, { tenant: passage.tenant, documentId, version, revision, passages });
      }
      return [...counts.values()];
    });
    yield* revisions;
  }

  #idsOf(document: DocumentKey, isMeant: (revision: number) => boolean): string[] {
    const key = documentKey(document);
    return [...this.held]
      .filter(([, { passage, revision }]) => documentKey(passage) === key && isMeant(revision))
      .map(([id]) => id);
  }
}

class MemoryLedger implements Ledger {
  readonly #servers: MemoryServers;
  readonly #step: <T>(work: () => T) => Promise<T>;

  constructor(servers: MemoryServers, gate: Gate) {
    this.#servers = servers;
    this.#step = stepsOf("ledger", gate);
  }

  async read(documents: readonly DocumentKey[]): Promise<(LedgerRecord | undefined)[]> {
    const records: (LedgerRecord | undefined)[] = [];
    for (const document of documents)
      records.push(await this.#step(() => this.#servers.ledger.get(documentKey(document))));
    return records;
  }

  async write(changes: readonly LedgerChange[]): Promise<boolean[]> {
    const made: boolean[] = [];
    for (const { entry, instead } of changes)
      made.push(
        await this.#step(() => {
          const present = this.#servers.ledger.get(documentKey(entry));
          if (present?.position.sequence !== instead?.position.sequence) return false;
          this.#servers.put(entry);
          return true;
        }),
      );
    return made;
  }

  async forget(records: readonly LedgerRecord[]): Promise<void> {
    for (const { entry, position } of records)
      await this.#step(() => {
        const key = documentKey(entry);
        if (this.#servers.ledger.get(key)?.position.sequence === position.sequence)
          this.#servers.ledger.delete(key);
      });
  }

  async *list(tenant?: string): AsyncGenerator<LedgerRecord> {
    const records = await this.#step(() => [...this.#servers.ledger.values()]);
    for (const record of records) if (tenant === undefined || record.entry.tenant === tenant) yield record;
  }

  async count(): Promise<number> {
    return this.#servers.ledger.values().reduce((sum, { entry }) => sum + entry.passages, 0);
  }
}

function isBelow(held: number, of: number): boolean {
  return held < of;
}

function isSame(held: number, of: number): boolean {
  return held === of;
}

function stepsOf(server: Server, gate: Gate): <T>(work: () => T) => Promise<T> {
  return async (work) => {
    await gate(server, "before");
    const result = work();
    await gate(server, "after");
    return result;
  };
}

export function serverDown(server: Server): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.UNAVAILABLE, reason: "HW_TEST_UNAVAILABLE", message: `${server} is down.` },
  });
}
