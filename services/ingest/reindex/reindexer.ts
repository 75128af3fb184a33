import { HeadwaterError, status } from "@headwater/errors";
import type { PassageIndex } from "@headwater/passage-index";
import type { DeepPartial, ReindexResponse } from "@headwater/proto/services/headwater/v1/ingest";
import type { Catalog } from "../catalog/catalog.ts";
import { keyOf } from "../catalog/catalog-rows.ts";
import type { DocumentRecord } from "../catalog/document-record.ts";
import type { PipelineSettings } from "../config.ts";
import type { DocumentChange } from "../pipeline/document-change.ts";
import type { PipelineSupervisor } from "../pipeline/pipeline-supervisor.ts";
import type { ProcessingTools } from "../pipeline/processing-tools.ts";
import type { Trouble } from "../pipeline/trouble.ts";
import type { EventAppender } from "../push/event-appender.ts";
import type { Stores } from "../stores.ts";
import { Rebuild } from "./rebuild.ts";
import { requeue } from "./requeue.ts";

export interface ReindexerParts {
  readonly stores: Stores;
  readonly catalog: Catalog;
  readonly supervisor: PipelineSupervisor;
  readonly appender: EventAppender;
  readonly trouble: Trouble;
  readonly settings: PipelineSettings;
  readonly openTools: (signal: AbortSignal) => Promise<ProcessingTools>;
}

type Progress = DeepPartial<ReindexResponse>;

const pageSize = 200;
/** Documents that changed during the reindex and are left for the time when the pipeline stands still. */
const maxLeftOver = 50;

/**
 * Makes all passages anew. All tenants: a new generation of the indexes is filled beside the one that serves, which
 * goes on serving and taking in changes; what changed meanwhile is caught up with, the last of it while the pipeline
 * stands still, and then the new generation serves from one moment to the next. A crash or a caller who leaves
 * before that loses nothing but the work.
 *
 * One tenant: its documents go through the log again, in their order with all other changes.
 */
export class Reindexer {
  readonly #parts: ReindexerParts;
  /** Documents that changed since the reindex began; undefined while there is none. */
  #changed: Map<string, { readonly tenant: string; readonly documentId: string }> | undefined;

  constructor(parts: ReindexerParts) {
    this.#parts = parts;
  }

  /** To be told of each change that has reached the indexes. */
  noteChange({ tenant, documentId }: DocumentChange): void {
    this.#changed?.set(keyOf({ tenant, documentId }), { tenant, documentId });
  }

  /** @param tenant undefined: all @throws HeadwaterError ABORTED while another reindex runs */
  async *run(tenant: string | undefined, signal: AbortSignal): AsyncGenerator<Progress> {
    if (tenant !== undefined) {
      this.#parts.supervisor.checkReady();
      yield* requeue(this.#parts, tenant, signal);
      return;
    }
    if (this.#changed) {
      throw new HeadwaterError({
        ...{ code: status.ABORTED, reason: "HW_REINDEX_RUNNING" },
        message: "A reindex is under way.",
        action: "Wait for it to end.",
      });
    }
    this.#changed = new Map();
    try {
      yield* this.#runAll(signal);
    } finally {
      this.#changed = undefined;
    }
  }

  async *#runAll(signal: AbortSignal): AsyncGenerator<Progress> {
    const { stores, supervisor, openTools } = this.#parts;
    const tools = await openTools(signal);
    try {
      const target = await stores.indexes.create(tools.fingerprint, tools.model.dimensions);
      const rebuild = new Rebuild({ ...this.#parts, tools, target });
      let done = false;
      try {
        yield* this.#fill(rebuild, signal);
        await this.#catchUp(rebuild, maxLeftOver, signal);
        await target.optimize();
        await supervisor.suspendFor(async () => {
          await this.#catchUp(rebuild, 0, signal);
          await stores.indexes.activate(target);
        });
        done = true;
      } finally {
        // Also where it failed: the unfinished generation is one that does not serve.
        await this.#dropOthers(target, done);
      }
      yield { done: rebuild.done, total: rebuild.done, failed: rebuild.failed };
    } finally {
      await tools.close();
    }
  }

  async *#fill(rebuild: Rebuild, signal: AbortSignal): AsyncGenerator<Progress> {
    const { catalog } = this.#parts;
    let total = await catalog.countServed();
    yield { done: 0, total, failed: 0 };
    let after: DocumentRecord["status"] | undefined;
    do {
      const page: DocumentRecord[] = await catalog.list({
        ...{ servedOnly: true, limit: pageSize },
        ...(after ? { after } : {}),
      });
      await rebuild.add(page, signal);
      total = Math.max(total, rebuild.done);
      // The last message is sent once the new generation serves.
      yield { done: rebuild.done, total: Math.max(total, rebuild.done + 1), failed: rebuild.failed };
      after = page.length === pageSize ? page.at(-1)?.status : undefined;
    } while (after);
  }

  /** Does what changed since it was done, until at most `leave` documents are left. */
  async #catchUp(rebuild: Rebuild, leave: number, signal: AbortSignal): Promise<void> {
    while (this.#changed && this.#changed.size > leave) {
      const keys = [...this.#changed.values()];
      this.#changed.clear();
      for (let at = 0; at < keys.length; at += pageSize) {
        const batch = keys.slice(at, at + pageSize);
        const records = await this.#parts.catalog.read(batch);
        await rebuild.remove(batch.filter((_, place) => !records[place]?.served));
        await rebuild.redo(
          records.flatMap((record) => (record?.served ? record : [])),
          signal,
        );
      }
    }
  }

  async #dropOthers(target: PassageIndex, done: boolean): Promise<void> {
    const { stores, trouble } = this.#parts;
    try {
      await stores.indexes.dropInactive();
    } catch (thrown) {
      // Costs disk only; the next reindex drops it.
      trouble.note(
        done ? `index generation before ${target.generation}` : `index generation ${target.generation}`,
        thrown,
      );
    }
  }
}
