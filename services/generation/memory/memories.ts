import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import type { LanguageModel } from "@headwater/language-model";
import type { Memory, MemoryDecision } from "@headwater/proto/services/headwater/v1/memory";
import { MemoryAction } from "@headwater/proto/services/headwater/v1/memory";
import type { TimePlace } from "@headwater/rpc";
import type { Owner } from "../turns/turn.ts";
import type { CommonGround, MemoryEmbedder } from "./embedder.ts";
import type { AnsweredTurn, TurnMemory } from "./memory.ts";
import type { MemoryRecord } from "./memory-record.ts";
import { toMessage } from "./memory-record.ts";
import type { MemoryStore, Snapshot } from "./memory-store.ts";
import type { MemoryMetrics } from "./metrics.ts";
import { actionNames } from "./metrics.ts";
import type { Reader } from "./reader.ts";
import { holdsSecret } from "./secrets.ts";
import { faded, strengthened } from "./strength.ts";
import { cosine } from "./vectors.ts";
import { candidatesFor, decide, surpriseOf } from "./weighing.ts";

export interface MemoriesOptions {
  readonly store: MemoryStore;
  readonly embedder: MemoryEmbedder;
  readonly reader: Reader;
  readonly metrics: MemoryMetrics;
  /** Score that a new statement has to reach, 0 to 1. */
  readonly threshold: number;
  readonly halfLifeMs: number;
  /** Memories that a turn is given. */
  readonly recalled: number;
  /** The time in unix milliseconds; tests let it pass. */
  readonly clock?: () => number;
}

/** Where a statement comes from, and the model that may read it. */
export interface Source {
  /** Empty: it was told by itself. */
  readonly conversationId: string;
  readonly model: LanguageModel;
}

/** A memory and its cosine to what was searched. */
interface Found {
  readonly record: MemoryRecord;
  readonly similarity: number;
}

/** Stands in the place of a statement that seems to hold a secret: it is neither kept nor told again. */
const leftOut = "(left out: it seems to hold a secret)";
/** Times that a change is made anew because the owner's memories changed meanwhile. */
const maxAttempts = 8;
/** Nearness to a question, on the scale of `nearness`, below which a memory has nothing to do with it. */
const recallFrom = 0.2;

/** What is remembered of owners: decides what is kept, finds it again, and forgets. */
export class Memories implements TurnMemory {
  readonly #options: MemoriesOptions;

  constructor(options: MemoriesOptions) {
    this.#options = options;
  }

  async recall(owner: Owner, text: string, signal: AbortSignal): Promise<Memory[]> {
    const { embedder, store, metrics, recalled } = this.#options;
    const common = await embedder.commonGround(signal);
    const least = common.baseline + recallFrom * (1 - common.baseline);
    const found = (await this.#nearest(owner, text, common, signal))
      .filter(({ similarity }) => similarity >= least)
      .slice(0, recalled);
    const now = this.#now();
    const strengths = found.map(
      ({ record }) => [record.id, strengthened(this.#strength(record, now))] as const,
    );
    await store.recalled(owner, new Map(strengths), now);
    metrics.recalled.inc(found.length);
    return found.map((memory) => this.#message(memory));
  }

  async observe(turn: AnsweredTurn, signal: AbortSignal): Promise<MemoryDecision[]> {
    const decisions: MemoryDecision[] = [];
    for (const statement of await this.#options.reader.statementsOf(turn.message, turn.model, signal))
      decisions.push(await this.remember(turn, statement, turn, signal));
    return decisions;
  }

  /**
   * Weighs one statement, and keeps it if it surprises.
   *
   * @throws HeadwaterError UNAVAILABLE without the embedding-worker; ABORTED where others write all the time
   */
  async remember(
    owner: Owner,
    statement: string,
    source: Source,
    signal: AbortSignal,
  ): Promise<MemoryDecision> {
    if (holdsSecret(statement)) return this.#leaveOut();
    const { embedder, reader, metrics, threshold, halfLifeMs } = this.#options;
    const common = await embedder.commonGround(signal);
    const vector = await this.#embed(statement, signal);
    return await this.#whileUnchanged(owner, common, signal, async (snapshot) => {
      const { records } = snapshot;
      const told = { text: statement, vector, conversationId: source.conversationId, at: this.#now() };
      const judged = await reader.judge(
        statement,
        candidatesFor(told, records, common),
        source.model,
        signal,
      );
      const { decision, record } = decide(told, surpriseOf(told, records, common, halfLifeMs), judged, {
        ...{ records, fingerprint: common.fingerprint, threshold, halfLifeMs },
      });
      if (record && !(await this.#write(owner, record, snapshot))) return undefined;
      metrics.decisions.inc({ action: actionNames[decision.action] ?? "" });
      return decision;
    });
  }

  /** @returns nearest first */
  async search(owner: Owner, query: string, limit: number, signal: AbortSignal): Promise<Memory[]> {
    const common = await this.#options.embedder.commonGround(signal);
    const found = await this.#nearest(owner, query, common, signal);
    return found.slice(0, limit).map((memory) => this.#message(memory));
  }

  /** Newest first. */
  async list(owner: Owner, limit: number, after: TimePlace | undefined): Promise<Memory[]> {
    const records = await this.#options.store.list(owner, limit, after);
    return records.map((record) => this.#message({ record, similarity: 0 }));
  }

  /** @throws HeadwaterError NOT_FOUND; INVALID_ARGUMENT for a text that seems to hold a secret */
  async correct(owner: Owner, id: string, text: string, signal: AbortSignal): Promise<Memory> {
    if (holdsSecret(text)) throw secretRefused();
    const common = await this.#options.embedder.commonGround(signal);
    const vector = await this.#embed(text, signal);
    return await this.#whileUnchanged(owner, common, signal, async (snapshot) => {
      const { records } = snapshot;
      const known = records.find((record) => record.id === id);
      if (!known) throw memoryNotFound();
      const now = this.#now();
      const record: MemoryRecord = {
        ...known,
        ...{ text, vector, fingerprint: common.fingerprint, updatedAt: now, strengthenedAt: now },
        strength: strengthened(this.#strength(known, now)),
      };
      if (!(await this.#write(owner, record, snapshot))) return undefined;
      return this.#message({ record, similarity: 0 });
    });
  }

  async forget(owner: Owner, id: string): Promise<void> {
    this.#options.metrics.forgotten.inc({ why: "asked" }, await this.#options.store.forget(owner, id));
  }

  /** @returns how many there were */
  async forgetAll(owner: Owner): Promise<number> {
    const gone = await this.#options.store.forgetAll(owner);
    this.#options.metrics.forgotten.inc({ why: "asked" }, gone);
    return gone;
  }

  /** Deletes what has faded, of all owners. */
  async sweep(): Promise<void> {
    this.#options.metrics.forgotten.inc({ why: "faded" }, await this.#options.store.sweep(this.#now()));
  }

  /** Does a change on what is remembered now; anew where others have written before it was done. */
  async #whileUnchanged<T>(
    owner: Owner,
    common: CommonGround,
    signal: AbortSignal,
    change: (snapshot: Snapshot) => Promise<T | undefined>,
  ): Promise<T> {
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const done = await change(await this.#read(owner, common, signal));
      if (done !== undefined) return done;
    }
    throw new HeadwaterError({
      code: status.ABORTED,
      reason: "HW_MEMORY_BUSY",
      message: "The owner's memories changed each time before the decision was written.",
      action: "Try again.",
    });
  }

  /** With vectors of the model that is loaded now. */
  async #read(owner: Owner, common: CommonGround, signal: AbortSignal): Promise<Snapshot> {
    const { store, embedder, metrics } = this.#options;
    const stopTimer = metrics.scan.startTimer();
    const snapshot = await store.read(owner);
    stopTimer();
    const stale = snapshot.records.filter(({ fingerprint }) => fingerprint !== common.fingerprint);
    if (stale.length === 0) return snapshot;
    const vectors = await embedder.embed(
      stale.map(({ text }) => text),
      signal,
    );
    const fresh = new Map(
      stale.map((record, at) => [
        record.id,
        { ...record, vector: vectors[at] ?? record.vector, fingerprint: common.fingerprint },
      ]),
    );
    await store.reembed(owner, [...fresh.values()]);
    return { ...snapshot, records: snapshot.records.map((record) => fresh.get(record.id) ?? record) };
  }

  async #nearest(owner: Owner, text: string, common: CommonGround, signal: AbortSignal): Promise<Found[]> {
    const vector = await this.#options.embedder.embedQuery(text, signal);
    const { records } = await this.#read(owner, common, signal);
    return records
      .map((record) => ({ record, similarity: cosine(vector, record.vector) }))
      .sort((a, b) => b.similarity - a.similarity);
  }

  async #write(owner: Owner, record: MemoryRecord, decidedOn: Snapshot): Promise<boolean> {
    const gone = await this.#options.store.write(owner, record, decidedOn);
    this.#options.metrics.forgotten.inc({ why: "faded" }, gone ?? 0);
    return gone !== undefined;
  }

  async #embed(text: string, signal: AbortSignal): Promise<Float32Array> {
    const [vector] = await this.#options.embedder.embed([text], signal);
    return vector ?? new Float32Array();
  }

  #leaveOut(): MemoryDecision {
    const { metrics, threshold } = this.#options;
    metrics.secrets.inc();
    metrics.decisions.inc({ action: "skipped" });
    return {
      statement: leftOut,
      action: MemoryAction.SKIPPED,
      surprise: 0,
      threshold,
      parts: {},
      memoryId: "",
    };
  }

  #strength(record: MemoryRecord, now: Date): number {
    return faded(record.strength, record.strengthenedAt, now, this.#options.halfLifeMs);
  }

  #message({ record, similarity }: Found): Memory {
    return toMessage(record, this.#strength(record, this.#now()), similarity);
  }

  #now(): Date {
    return new Date(this.#options.clock?.() ?? Date.now());
  }
}

function secretRefused(): HeadwaterError {
  return invalidArgument(
    "HW_MEMORY_SECRET",
    "The text seems to hold a password, a key or the number of a card or an account.",
    "Leave it out: memory is no place for secrets.",
  );
}

function memoryNotFound(): HeadwaterError {
  return new HeadwaterError({
    code: status.NOT_FOUND,
    reason: "HW_MEMORY_NOT_FOUND",
    message: "There is no memory of that id.",
  });
}
