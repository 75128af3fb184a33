import { setTimeout as delay } from "node:timers/promises";
import type { DocumentLog, LogConsumer, LogRecord } from "@headwater/document-log";
import { HeadwaterError, status } from "@headwater/errors";
import type { Telemetry } from "@headwater/telemetry";
import { propagation, ROOT_CONTEXT, SpanKind } from "@opentelemetry/api";
import type { Budget } from "../batching/budget.ts";
import { KeyedQueue } from "../batching/keyed-queue.ts";
import { keyOf } from "../catalog/catalog-rows.ts";
import type { DocumentRecord } from "../catalog/document-record.ts";
import type { PipelineSettings } from "../config.ts";
import type { Outcome } from "../metrics.ts";
import { Committer } from "./committer.ts";
import { applyDeletion } from "./deletion.ts";
import type { DocumentChange } from "./document-change.ts";
import { readDocumentChange } from "./document-change.ts";
import type { DocumentJob } from "./document-job.ts";
import { PoisonError } from "./document-job.ts";
import { applyFailure } from "./failure.ts";
import type { PutParts } from "./put-steps.ts";
import { applyPut } from "./put-steps.ts";
import { applySweep } from "./sweep.ts";

export interface PipelineParts extends PutParts {
  readonly log: DocumentLog;
  readonly telemetry: Telemetry;
  readonly settings: PipelineSettings;
  /** Documents between the log and the indexes; shared with the IndexWriter, which must know when none is to come. */
  readonly documents: Budget;
  /** Told after each change that has reached the indexes. */
  readonly onSettled: (change: DocumentChange, outcome: Outcome) => void;
}

/** Records and bytes of one look at the log. */
const receiveLimits = { maxRecords: 512, maxBytes: 4 * 1024 * 1024 };

/**
 * Milliseconds between two looks at the log while events keep coming: a look costs a query of the catalog, so many
 * events should share it. An event that comes after a pause is taken at once.
 */
const gatherMs = 50;

/** Outcomes that change what a search finds. */
const visible: ReadonlySet<Outcome> = new Set(["indexed", "deleted"]);

/** A record that was received, as far as it could be read. */
type Received = (
  | { readonly change: DocumentChange }
  | { readonly change?: never; readonly unreadable: HeadwaterError }
) & {
  readonly record: LogRecord;
  /** Fires when the record is another consumer's. */
  readonly revoked: AbortSignal;
};

/**
 * Takes events from the log to the indexes, as many at one time as the budgets allow: whatever the backlog, memory
 * stays the same, because the log is only asked for what there is room for.
 */
export class Pipeline {
  readonly #parts: PipelineParts;
  readonly #consumer: LogConsumer;
  readonly #committer: Committer;
  readonly #queue = new KeyedQueue();
  /** Of the values of all records under way. */
  #heldBytes = 0;
  readonly #intake = new AbortController();
  readonly #work = new AbortController();
  /** One for each partition: aborted when the partition goes to another consumer. */
  readonly #partitions = new Map<number, AbortController>();
  readonly #jobs = new Set<Promise<void>>();
  readonly #receiving: Promise<void>;

  private constructor(parts: PipelineParts, consumer: LogConsumer) {
    this.#parts = parts;
    this.#consumer = consumer;
    this.#committer = new Committer(consumer, parts.trouble);
    consumer.onRevoked((partitions) => this.#revoke(partitions));
    this.#receiving = this.#receive();
  }

  static async start(parts: PipelineParts, signal: AbortSignal): Promise<Pipeline> {
    const { trouble, log, settings } = parts;
    const consumer = await trouble.patiently("log", signal, () => log.subscribe(settings.group));
    return new Pipeline(parts, consumer);
  }

  /**
   * Takes no more events; those under way get `graceMs` to be done, the others are left to be delivered again. What
   * is done is committed.
   */
  async stop(graceMs: number): Promise<void> {
    this.#intake.abort();
    await this.#receiving;
    const patience = setTimeout(() => this.#work.abort(), graceMs);
    while (this.#jobs.size > 0) await Promise.all(this.#jobs);
    clearTimeout(patience);
    await this.#committer.close();
    await this.#consumer.close();
    this.#work.abort();
  }

  async #receive(): Promise<void> {
    const { signal } = this.#intake;
    const { trouble } = this.#parts;
    let last = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      try {
        const early = last + gatherMs - performance.now();
        if (early > 0) await delay(early, undefined, { signal });
        await this.#committer.room(signal);
        const room = await this.#waitForRoom(signal);
        const records = await trouble.patiently("log", signal, () => this.#consumer.receive(room, signal));
        last = performance.now();
        await this.#take(records, signal);
      } catch (thrown) {
        // Nothing but the end of the intake comes here; what was received and not begun is delivered again.
        if (!signal.aborted) throw thrown;
      }
    }
  }

  async #waitForRoom(signal: AbortSignal): Promise<typeof receiveLimits> {
    const { documents, settings } = this.#parts;
    while (this.#heldBytes > settings.maxInFlightBytes) await Promise.race(this.#jobs);
    const release = await documents.acquire(1, signal);
    release();
    return { ...receiveLimits, maxRecords: Math.min(receiveLimits.maxRecords, Math.max(1, documents.free)) };
  }

  async #take(records: readonly LogRecord[], signal: AbortSignal): Promise<void> {
    const { catalog, trouble } = this.#parts;
    // Now, and not when its turn comes: the partition may be lost, and even be back, by then.
    const received = records.map((record) => read(record, this.#signalOf(record.partition)));
    const keys = received.flatMap(({ change }) => change ?? []);
    const known = await trouble.patiently("catalog", signal, () => catalog.read(keys));
    const byKey = new Map(keys.map((key, place) => [keyOf(key), known[place]]));
    const owned = received.filter(({ revoked }) => !revoked.aborted);
    for (const { record } of owned) this.#committer.received(record);
    for (const one of owned) await this.#begin(one, byKey, signal);
  }

  async #begin(
    received: Received,
    known: ReadonlyMap<string, DocumentRecord | undefined>,
    signal: AbortSignal,
  ): Promise<void> {
    const { documents, writer } = this.#parts;
    const { record, change } = received;
    const release = await documents.acquire(1, signal);
    const key = change ? keyOf(change) : record.key;
    // Behind another event of the same document, what was known before is known no more.
    const hint = this.#queue.has(key) ? undefined : { record: known.get(key) };
    const size = record.value?.length ?? 0;
    this.#heldBytes += size;
    const job = this.#queue
      .run(key, () => this.#run(received, hint))
      .finally(() => {
        release();
        this.#heldBytes -= size;
        this.#jobs.delete(job);
        this.#observeInFlight();
        writer.poke();
      });
    this.#jobs.add(job);
    this.#observeInFlight();
  }

  /** Never rejects. @param hint what was known when the event was received; undefined: to be read anew */
  async #run(
    received: Received,
    hint: { readonly record: DocumentRecord | undefined } | undefined,
  ): Promise<void> {
    const { telemetry, trouble, catalog, metrics } = this.#parts;
    const { record, change } = received;
    const { partition, offset } = record;
    const span = telemetry.tracer.startSpan(
      "ingest.document",
      {
        kind: SpanKind.CONSUMER,
        attributes: { "headwater.partition": partition, "headwater.offset": offset },
      },
      propagation.extract(ROOT_CONTEXT, record.headers),
    );
    const signal = AbortSignal.any([this.#work.signal, received.revoked]);
    try {
      signal.throwIfAborted();
      const known =
        hint || !change
          ? hint?.record
          : (await trouble.patiently("catalog", signal, () => catalog.read([change])))[0];
      const outcome = await this.#apply(received, { record, signal, span, known });
      // The partition may be back: then the record is under way once more, and it is for that to be done.
      signal.throwIfAborted();
      span.setAttribute("headwater.outcome", outcome);
      metrics.documents.inc({ outcome });
      if (visible.has(outcome))
        metrics.freshness.observe(Math.max(0, (Date.now() - record.timestamp) / 1000));
      this.#committer.done(record);
      if (change) this.#parts.onSettled(change, outcome);
    } catch (thrown) {
      // Called off: the event is not done, and will be delivered again.
      if (signal.aborted && change) catalog.withdrawProgress(change);
      if (!signal.aborted)
        telemetry.log.error({ err: thrown, partition, offset }, "an event was not applied");
    } finally {
      span.end();
    }
  }

  async #apply(received: Received, job: DocumentJob): Promise<Outcome> {
    const { change } = received;
    try {
      if (!change) throw new PoisonError("read", received.unreadable);
      switch (change.kind) {
        case "put":
          return await applyPut(this.#parts, job, change);
        case "delete":
          return await applyDeletion(this.#parts, job, change);
        case "sweep":
          return await applySweep(this.#parts, job, change);
      }
    } catch (thrown) {
      job.signal.throwIfAborted();
      const poison =
        thrown instanceof PoisonError ? thrown : new PoisonError("index", HeadwaterError.from(thrown));
      if (poison.cause.code === status.CANCELLED) throw thrown;
      const { partition, offset } = job.record;
      const fields = { partition, offset, stage: poison.stage, err: poison.cause };
      this.#parts.telemetry.log.warn(fields, "a document was given up");
      await applyFailure(this.#parts, this.#parts.log, job, change, poison);
      return "failed";
    }
  }

  #signalOf(partition: number): AbortSignal {
    const known = this.#partitions.get(partition) ?? new AbortController();
    this.#partitions.set(partition, known);
    return known.signal;
  }

  #revoke(partitions: readonly number[]): void {
    for (const partition of partitions) {
      this.#partitions.get(partition)?.abort();
      this.#partitions.delete(partition);
      this.#committer.drop(partition);
    }
  }

  #observeInFlight(): void {
    this.#parts.metrics.inFlight.set(this.#jobs.size);
    this.#parts.metrics.inFlightBytes.set(this.#parts.contents.used);
  }
}

function read(record: LogRecord, revoked: AbortSignal): Received {
  try {
    return { record, revoked, change: readDocumentChange(record) };
  } catch (thrown) {
    return { record, revoked, unreadable: HeadwaterError.from(thrown) };
  }
}
