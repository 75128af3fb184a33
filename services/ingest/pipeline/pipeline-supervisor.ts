import { setTimeout as delay } from "node:timers/promises";
import type { HeadwaterError } from "@headwater/errors";
import { HeadwaterError as Failure, status } from "@headwater/errors";
import type { EmbeddingDemand } from "@headwater/load";
import type { IndexFingerprint, PassageIndex } from "@headwater/passage-index";
import type { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import type { RpcClient } from "@headwater/rpc";
import type { Telemetry } from "@headwater/telemetry";
import { Budget } from "../batching/budget.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { GenerationLedger } from "../catalog/generation-ledger.ts";
import type { IngestConfig } from "../config.ts";
import { describeFingerprint } from "../embedding/embedding-model.ts";
import type { IngestMetrics, Outcome } from "../metrics.ts";
import type { Stores } from "../stores.ts";
import type { DocumentChange } from "./document-change.ts";
import { fingerprintMismatch, fingerprintText, isSameFingerprint } from "./fingerprint.ts";
import { IndexWriter } from "./index-writer.ts";
import { Pipeline } from "./pipeline.ts";
import type { CreateProcessor, ProcessingTools } from "./processing-tools.ts";
import { openProcessingTools } from "./processing-tools.ts";
import { servingGeneration } from "./serving-generation.ts";
import { StageTimer } from "./stage-timer.ts";
import type { Trouble } from "./trouble.ts";

export interface SupervisorParts {
  readonly config: IngestConfig;
  readonly telemetry: Telemetry;
  readonly metrics: IngestMetrics;
  readonly stores: Stores;
  readonly catalog: Catalog;
  readonly ledger: GenerationLedger;
  readonly trouble: Trouble;
  readonly client: RpcClient<EmbeddingServiceDefinition>;
  readonly demand: EmbeddingDemand;
  readonly createProcessor: CreateProcessor;
  readonly onSettled: (change: DocumentChange, outcome: Outcome) => void;
}

/** Documents that are parsed at one time; each waits in a queue of the processor that is no shorter. */
const maxParsing = 32;
/** Milliseconds between two looks whether a worker with the wrong model was replaced. */
const recheckMs = 5000;
/** Milliseconds between two looks whether another process has switched to another generation of the indexes. */
const generationCheckMs = 1000;
/** Milliseconds for documents under way when the pipeline is suspended; the others are delivered again. */
const suspendGraceMs = 2000;

/**
 * Keeps a pipeline running whenever one can: once the embedding-worker is there, and as long as what it would make
 * goes with what the indexes hold.
 */
export class PipelineSupervisor {
  readonly #parts: SupervisorParts;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #graceMs = 0;
  #interrupt = new AbortController();
  /** Why there is no pipeline; undefined while there is one. */
  #idle: HeadwaterError | undefined = starting();
  #fingerprint: IndexFingerprint | undefined;
  #suspended: Promise<void> | undefined;
  #stopped = Promise.withResolvers<void>();

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.#running = this.#run();
  }

  /** @throws HeadwaterError while no documents are processed */
  checkReady(): void {
    const reason = this.#parts.trouble.current ?? this.#idle;
    if (reason) throw reason;
  }

  /**
   * As `checkReady`, but for an embedding-worker that is away: documents are taken in without it. One that was scaled
   * to zero comes back because of those that wait here, and those come in only where ingest is ready.
   *
   * @throws HeadwaterError while calls should go elsewhere
   */
  checkAvailable(): void {
    const { trouble } = this.#parts;
    const workerIsAway = trouble.of("embedding")?.code === status.UNAVAILABLE;
    const waitsForWorker = workerIsAway && this.#idle?.reason === startingReason;
    const other = workerIsAway ? trouble.besides("embedding") : trouble.current;
    const reason = other ?? (waitsForWorker ? undefined : this.#idle);
    if (reason) throw reason;
  }

  /** What passages were last made with, or would be; undefined before the embedding-worker was there. */
  get fingerprint(): IndexFingerprint | undefined {
    return this.#fingerprint;
  }

  /** Stops the pipeline, does `work`, and starts it anew, with whatever index is active then. */
  async suspendFor<T>(work: () => Promise<T>): Promise<T> {
    while (this.#suspended !== undefined) await this.#suspended;
    const resumed = Promise.withResolvers<void>();
    this.#suspended = resumed.promise;
    this.#graceMs = suspendGraceMs;
    this.#interrupt.abort();
    try {
      await this.#stopped.promise;
      return await work();
    } finally {
      this.#suspended = undefined;
      resumed.resolve();
    }
  }

  async close(graceMs: number): Promise<void> {
    this.#graceMs = graceMs;
    this.#closing.abort();
    this.#interrupt.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        if (this.#suspended !== undefined) {
          this.#stopped.resolve();
          await this.#suspended;
          this.#stopped = Promise.withResolvers();
        }
        this.#interrupt = new AbortController();
        await this.#process(AbortSignal.any([signal, this.#interrupt.signal]));
      } catch (thrown) {
        if (signal.aborted || this.#interrupt.signal.aborted) continue;
        this.#parts.telemetry.log.error({ err: thrown }, "the pipeline broke; it starts again");
        await delay(recheckMs, undefined, { signal: this.#interrupt.signal }).catch(() => {});
      }
    }
    this.#stopped.resolve();
  }

  /** Until `signal` fires, or the worker's model changes while the indexes do not fit. */
  async #process(signal: AbortSignal): Promise<void> {
    const { trouble, stores, ledger } = this.#parts;
    const tools = await trouble.patiently("embedding", signal, () => this.#openTools(signal));
    this.#fingerprint = tools.fingerprint;
    try {
      const index = await trouble.patiently("index", signal, () =>
        servingGeneration(ledger, stores.indexes, tools),
      );
      if (isSameFingerprint(index.fingerprint, tools.fingerprint))
        await this.#runPipeline(tools, index, signal);
      else await this.#waitForAnotherModel(tools, index, signal);
    } finally {
      await tools.close();
    }
  }

  async #runPipeline(tools: ProcessingTools, index: PassageIndex, signal: AbortSignal): Promise<void> {
    const { config, telemetry, metrics, stores, catalog, trouble } = this.#parts;
    const documents = new Budget(config.pipeline.maxInFlightDocuments);
    const writing = new AbortController();
    const writer = new IndexWriter({
      index: () => index,
      trouble,
      signal: writing.signal,
      maxPassages: config.pipeline.indexBatch,
      lingerMs: config.pipeline.indexLingerMs,
      nothingElse: (waiting) => waiting >= documents.used,
    });
    const pipeline = await Pipeline.start(
      {
        ...{ telemetry, metrics, catalog, trouble, writer, documents },
        ...{ log: stores.log, blobs: stores.blobs, processor: tools.processor, embedder: tools.embedder },
        settings: config.pipeline,
        stages: new StageTimer(telemetry.tracer, metrics),
        contents: new Budget(config.pipeline.maxInFlightBytes),
        parsers: new Budget(Math.min(maxParsing, config.limits.maxQueue)),
        maxContentBytes: config.pipeline.maxDocumentBytes,
        fingerprint: fingerprintText(tools.fingerprint),
        generation: index.generation,
        onSettled: this.#parts.onSettled,
      },
      signal,
    );
    this.#idle = undefined;
    telemetry.log.info({ generation: index.generation, model: tools.model.name }, "processing documents");
    await this.#whileServing(index, signal);
    this.#idle = starting();
    // What another generation has taken the place of cannot be settled any more.
    await pipeline.stop(signal.aborted ? this.#graceMs : 0);
    writing.abort();
  }

  /** Until `signal` fires, or another generation serves. */
  async #whileServing(index: PassageIndex, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (await this.#serves(index)))
      await delay(generationCheckMs, undefined, { signal }).catch(() => {});
  }

  /** True also while the indexes cannot be asked: whoever writes to them finds that out. */
  async #serves({ generation }: PassageIndex): Promise<boolean> {
    const active = await this.#parts.stores.indexes.active().catch(() => undefined);
    return active === undefined || active.generation === generation;
  }

  async #waitForAnotherModel(
    tools: ProcessingTools,
    index: PassageIndex,
    signal: AbortSignal,
  ): Promise<void> {
    const { client, telemetry } = this.#parts;
    this.#idle = fingerprintMismatch(index.fingerprint, tools.fingerprint);
    telemetry.log.error({ err: this.#idle }, "documents wait in the log");
    while (true) {
      await delay(recheckMs, undefined, { signal });
      if (!(await this.#serves(index))) return;
      const now = await describeFingerprint(client, signal).catch(() => tools.fingerprint.model);
      if (now !== tools.fingerprint.model) return;
    }
  }

  #openTools(signal: AbortSignal): Promise<ProcessingTools> {
    const { config, client, demand, createProcessor, trouble } = this.#parts;
    return openProcessingTools(
      {
        ...{ config, client, demand, createProcessor },
        onTrouble: (error) => trouble.report("embedding", error),
        onRecovered: () => trouble.clear("embedding"),
      },
      signal,
    );
  }
}

const startingReason = "HW_INGEST_STARTING";

function starting(): HeadwaterError {
  return new Failure({
    ...{ code: status.UNAVAILABLE, reason: startingReason },
    message: "Documents are not processed yet.",
    action: "Wait for the embedding-worker to be ready; pushed documents are kept meanwhile.",
  });
}
