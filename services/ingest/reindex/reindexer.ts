import { invalidArgument } from "@headwater/errors";
import type { PassageIndex } from "@headwater/passage-index";
import type { DeepPartial, ReindexResponse } from "@headwater/proto/services/headwater/v1/ingest";
import { ReindexAction, ReindexState } from "@headwater/proto/services/headwater/v1/ingest";
import { retry } from "@headwater/resilience";
import type { Catalog } from "../catalog/catalog.ts";
import type { DocumentRecord } from "../catalog/document-record.ts";
import type { GenerationLedger, GenerationState } from "../catalog/generation-ledger.ts";
import { reindexRunning } from "../catalog/generation-ledger.ts";
import type { PipelineSettings } from "../config.ts";
import { isSameFingerprint } from "../pipeline/fingerprint.ts";
import type { PipelineSupervisor } from "../pipeline/pipeline-supervisor.ts";
import type { ProcessingTools } from "../pipeline/processing-tools.ts";
import { servingGeneration } from "../pipeline/serving-generation.ts";
import type { Trouble } from "../pipeline/trouble.ts";
import type { EventAppender } from "../push/event-appender.ts";
import type { Stores } from "../stores.ts";
import { defaultLeaseMs, Lease } from "./lease.ts";
import { Rebuild } from "./rebuild.ts";
import { nothingToUndo, switchTorn, undoNeedsOtherSettings } from "./reindex-errors.ts";
import { requeue } from "./requeue.ts";

export interface ReindexerParts {
  readonly stores: Stores;
  readonly catalog: Catalog;
  readonly ledger: GenerationLedger;
  readonly supervisor: PipelineSupervisor;
  readonly appender: EventAppender;
  readonly trouble: Trouble;
  readonly settings: PipelineSettings;
  readonly openTools: (signal: AbortSignal) => Promise<ProcessingTools>;
  /** Milliseconds for which a process that has died holds up the next reindex. Default: 15,000. */
  readonly leaseMs?: number;
  /** Documents between two notes of how far it is. Default: 200. */
  readonly pageSize?: number;
}

type Progress = DeepPartial<ReindexResponse>;

const defaultPageSize = 200;
/** Documents that changed during the reindex and are left for the time when the pipelines stand still. */
const maxLeftOver = 50;
/** Milliseconds for which the pipelines of other processes are held up at one time; the last documents take less. */
const holdMs = 30_000;

/**
 * Makes all passages anew. All tenants: a new generation of the indexes is filled beside the one that serves, which
 * goes on serving and taking in changes; what changed meanwhile is caught up with, the last of it while the pipelines
 * stand still, and then the new generation serves from one moment to the next. What is done and what changes is kept
 * in the ledger, so that after a crash, or after a caller has left, the next call goes on where it was. The generation
 * before stays, and can be switched back to by the same way.
 *
 * One tenant: its documents go through the log again, in their order with all other changes.
 */
export class Reindexer {
  readonly #parts: ReindexerParts;
  readonly #pageSize: number;
  #running = false;

  constructor(parts: ReindexerParts) {
    this.#parts = parts;
    this.#pageSize = parts.pageSize ?? defaultPageSize;
  }

  /** @param tenant undefined: all @throws HeadwaterError ABORTED while another reindex runs, in whatever process */
  async *run(
    tenant: string | undefined,
    action: ReindexAction,
    signal: AbortSignal,
  ): AsyncGenerator<Progress> {
    if (tenant !== undefined) {
      if (action !== ReindexAction.UNSPECIFIED)
        throw invalidArgument(
          "HW_REINDEX_TENANT",
          "Generations are those of all tenants: one tenant's reindex cannot be undone or finished.",
          "Leave the tenant out.",
        );
      this.#parts.supervisor.checkReady();
      yield* requeue(this.#parts, tenant, signal);
      return;
    }
    if (this.#running) throw reindexRunning();
    this.#running = true;
    try {
      const { ledger, trouble, leaseMs = defaultLeaseMs } = this.#parts;
      const lease = await Lease.take(ledger, trouble, leaseMs, signal);
      try {
        if (action === ReindexAction.FINISH) yield await this.#finish(lease, signal);
        else if (action === ReindexAction.UNDO) yield* this.#withTools(lease, signal, this.#undo);
        else yield* this.#withTools(lease, signal, this.#make);
      } finally {
        await lease.release();
      }
    } finally {
      this.#running = false;
    }
  }

  async *#withTools(
    lease: Lease,
    signal: AbortSignal,
    work: (lease: Lease, tools: ProcessingTools, signal: AbortSignal) => AsyncGenerator<Progress>,
  ): AsyncGenerator<Progress> {
    const tools = await this.#parts.openTools(signal);
    try {
      yield* work.call(this, lease, tools, signal);
    } finally {
      await tools.close();
    }
  }

  async *#make(lease: Lease, tools: ProcessingTools, signal: AbortSignal): AsyncGenerator<Progress> {
    const { target, resumed } = await this.#openTarget(lease, tools, signal);
    const rebuild = new Rebuild({ ...this.#parts, tools, target });
    const state = await this.#patiently(signal, () => this.#parts.ledger.read());
    for await (const progress of this.#fill(lease, rebuild, state, signal)) yield { ...progress, resumed };
    await this.#takeOver(lease, rebuild, target, signal);
    const { done } = await this.#patiently(signal, () => this.#parts.ledger.read());
    yield { done, total: done, failed: state.failed + rebuild.failed, resumed };
  }

  /** One that was begun with the same model and chunking, or a new one. */
  async #openTarget(
    lease: Lease,
    tools: ProcessingTools,
    signal: AbortSignal,
  ): Promise<{ readonly target: PassageIndex; readonly resumed: boolean }> {
    const { ledger, catalog, stores, trouble } = this.#parts;
    const { indexes } = stores;
    await trouble.patiently("index", signal, () => servingGeneration(ledger, indexes, tools));
    const { other, state } = await this.#patiently(signal, () => ledger.read());
    const isUnfinished = state === ReindexState.FILLING || state === ReindexState.CATCHING_UP;
    if (isUnfinished && other !== null) {
      const target = await trouble.patiently("index", signal, () => indexes.open(other));
      if (target && isSameFingerprint(target.fingerprint, tools.fingerprint))
        return { target, resumed: true };
    }
    await this.#dropOther(lease, signal);
    const target = await trouble.patiently("index", signal, () =>
      indexes.create(tools.fingerprint, tools.model.dimensions),
    );
    const total = await this.#patiently(signal, () => catalog.countServed());
    await this.#patiently(signal, () => ledger.begin(lease.owner, target.generation, total));
    return { target, resumed: false };
  }

  async *#fill(
    { owner }: Lease,
    rebuild: Rebuild,
    state: GenerationState,
    signal: AbortSignal,
  ): AsyncGenerator<Progress> {
    const { catalog, ledger } = this.#parts;
    let { done, cursor } = state;
    yield { done, total: Math.max(state.total, done), failed: state.failed };
    if (state.state !== ReindexState.FILLING) return;
    let page: DocumentRecord[];
    do {
      const after = cursor;
      page = await this.#patiently(signal, () =>
        catalog.list({ servedOnly: true, limit: this.#pageSize, ...(after ? { after } : {}) }),
      );
      await rebuild.put(page, signal);
      const last = page.at(-1)?.status;
      if (!last) break;
      done += page.length;
      cursor = { tenant: last.tenant, documentId: last.documentId };
      const progress = { cursor, done, failed: state.failed + rebuild.failed };
      await this.#patiently(signal, () => ledger.saveProgress(owner, progress));
      // The last message is sent once the new generation serves.
      yield { done, total: Math.max(state.total, done + 1), failed: progress.failed };
    } while (page.length === this.#pageSize);
    await this.#patiently(signal, () => ledger.filled(owner));
  }

  /** Takes in what changed, and makes `target` serve. */
  async #takeOver(lease: Lease, rebuild: Rebuild, target: PassageIndex, signal: AbortSignal): Promise<void> {
    const { ledger, supervisor, stores } = this.#parts;
    const { owner } = lease;
    await this.#catchUp(rebuild, Math.min(maxLeftOver, this.#pageSize - 1), signal);
    await target.optimize();
    const switchNow = () => ledger.switch(owner, target.generation, () => stores.indexes.activate(target));
    await supervisor.suspendFor(async () => {
      do {
        await this.#patiently(signal, () => ledger.holdSettlements(owner, holdMs));
        await this.#catchUp(rebuild, 0, signal);
      } while (!(await this.#patiently(signal, switchNow)));
    });
  }

  /** Does what changed since it was done, until at most `leave` documents are left. */
  async #catchUp(rebuild: Rebuild, leave: number, signal: AbortSignal): Promise<void> {
    const { ledger, catalog } = this.#parts;
    while (true) {
      const changes = await this.#patiently(signal, () => ledger.changes(this.#pageSize));
      if (changes.length <= leave) return;
      const records = await this.#patiently(signal, () => catalog.read(changes));
      await rebuild.remove(
        changes.filter((_, place) => !records[place]?.served),
        signal,
      );
      await rebuild.put(
        records.flatMap((record) => (record?.served ? record : [])),
        signal,
      );
      await this.#patiently(signal, () => ledger.forgetChanges(changes));
    }
  }

  async *#undo(lease: Lease, tools: ProcessingTools, signal: AbortSignal): AsyncGenerator<Progress> {
    const { ledger, stores, trouble } = this.#parts;
    await trouble.patiently("index", signal, () => servingGeneration(ledger, stores.indexes, tools));
    const { other, state } = await this.#patiently(signal, () => ledger.read());
    if (other === null || state !== ReindexState.SWITCHED) throw nothingToUndo();
    const target = await trouble.patiently("index", signal, () => stores.indexes.open(other));
    if (!target) throw nothingToUndo();
    if (!isSameFingerprint(target.fingerprint, tools.fingerprint))
      throw undoNeedsOtherSettings(target.fingerprint, tools.fingerprint);
    const total = await this.#patiently(signal, () => ledger.countChanges());
    yield { done: 0, total, failed: 0 };
    const rebuild = new Rebuild({ ...this.#parts, tools, target });
    await this.#takeOver(lease, rebuild, target, signal);
    yield { done: total, total, failed: rebuild.failed };
  }

  async #finish(lease: Lease, signal: AbortSignal): Promise<Progress> {
    const { ledger, stores, trouble } = this.#parts;
    const { serving } = await this.#patiently(signal, () => ledger.read());
    const active = await trouble.patiently("index", signal, () => stores.indexes.active());
    if (serving !== null && active?.generation !== serving) throw switchTorn();
    await this.#dropOther(lease, signal);
    return { done: 0, total: 0, failed: 0 };
  }

  async #dropOther({ owner }: Lease, signal: AbortSignal): Promise<void> {
    const { ledger, stores, trouble } = this.#parts;
    await this.#patiently(signal, () => ledger.forgetOther(owner));
    await trouble.patiently("index", signal, () => stores.indexes.dropInactive());
  }

  /** As `Trouble.patiently`, but for the end of the lease. */
  async #patiently<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const { trouble } = this.#parts;
    const result = await retry(work, {
      signal,
      retries: (error) => error.reason !== "HW_REINDEX_RUNNING",
      onRetry: (error) => trouble.report("reindex", error),
    });
    trouble.clear("reindex");
    return result;
  }
}
