import { setTimeout as delay } from "node:timers/promises";
import type { LogPosition } from "@headwater/document-log";
import type { DocumentKey, PassageIndex } from "@headwater/passage-index";
import type { DeepPartial, ReconcileResponse } from "@headwater/proto/services/headwater/v1/ingest";
import { Discrepancy } from "@headwater/proto/services/headwater/v1/ingest";
import type { Catalog } from "../catalog/catalog.ts";
import { keyOf } from "../catalog/catalog-rows.ts";
import type { DocumentRecord } from "../catalog/document-record.ts";
import type { PipelineSupervisor } from "../pipeline/pipeline-supervisor.ts";
import type { EventAppender } from "../push/event-appender.ts";
import { reindexEvent } from "../reindex/requeue.ts";
import type { Stores } from "../stores.ts";
import type { Evidence, Finding } from "./evidence.ts";
import { gather, isSame, judgeBlobs, judgeIndexed } from "./evidence.ts";
import { sweepEvent } from "./sweep-event.ts";
import { Tally } from "./tally.ts";

export interface ReconcilerParts {
  readonly stores: Stores;
  readonly catalog: Catalog;
  readonly supervisor: PipelineSupervisor;
  readonly appender: EventAppender;
  readonly group: string;
  /**
   * Milliseconds between two looks at a document that seems to differ: longer than the way from the indexes to the
   * catalog, so that one which is just being indexed is not taken for damage. Default: 3,000.
   */
  readonly pauseMs?: number;
}

type Progress = DeepPartial<ReconcileResponse>;

const defaultPauseMs = 3000;
/** Documents that are looked at together. */
const pageSize = 500;
/** Documents whose blobs are looked at at one time: each is a few round trips to the store. */
const blobsAtOnce = 16;
/** Findings that share a pause, and are mended together; what is in memory is bounded by this. */
const maxSuspects = 1000;
/** Milliseconds between two looks whether what was sent through the log is done. */
const pollMs = 200;

/**
 * Compares originals, catalog and both indexes, page by page, first from the catalog's side and then from that of the
 * indexes. Nothing is touched directly: what has to be mended goes through the log, behind all that is under way of
 * the same document, so that it does no harm where a document has changed meanwhile.
 */
export class Reconciler {
  readonly #parts: ReconcilerParts;

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
  }

  /** @param tenant undefined: all @throws HeadwaterError where documents are to be mended and none are processed */
  async *run(tenant: string | undefined, repair: boolean, signal: AbortSignal): AsyncGenerator<Progress> {
    const { supervisor, stores, catalog } = this.#parts;
    if (repair) supervisor.checkReady();
    const index = await stores.indexes.active();
    if (!index) {
      yield { done: 0, total: 0 };
      return;
    }
    const tally = new Tally();
    const total = 2 * (await catalog.countServed(tenant));
    let done = 0;
    const suspects: Finding[] = [];
    for await (const { looked, findings } of this.#lookAtAll(index, tenant, signal)) {
      done += looked;
      suspects.push(...findings);
      if (suspects.length >= maxSuspects)
        await this.#settle(index, suspects.splice(0), repair, tally, signal);
      yield { done, total: Math.max(total, done + 1), findings: tally.toProto() };
    }
    if (suspects.length > 0) await this.#settle(index, suspects, repair, tally, signal);
    yield { done, total: done, findings: tally.toProto() };
  }

  async *#lookAtAll(
    index: PassageIndex,
    tenant: string | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<{ looked: number; findings: Finding[] }> {
    const { catalog } = this.#parts;
    let after: DocumentKey | undefined;
    let page: DocumentRecord[];
    do {
      signal.throwIfAborted();
      page = await catalog.list({
        ...(tenant === undefined ? {} : { tenant }),
        ...(after ? { after } : {}),
        withDeleted: true,
        limit: pageSize,
      });
      const evidence = await gather(
        index,
        page.map(({ status }) => status),
        page,
      );
      yield { looked: page.length, findings: await this.#judge(index, evidence) };
      after = page.at(-1)?.status;
    } while (page.length === pageSize);

    let batch: DocumentKey[] = [];
    for await (const { tenant: owner, documentId } of index.listDocuments(tenant)) {
      batch.push({ tenant: owner, documentId });
      if (batch.length < pageSize) continue;
      signal.throwIfAborted();
      yield { looked: batch.length, findings: await this.#orphansAmong(index, batch) };
      batch = [];
    }
    yield { looked: batch.length, findings: await this.#orphansAmong(index, batch) };
  }

  async #judge(index: PassageIndex, evidence: readonly Evidence[]): Promise<Finding[]> {
    const findings: Finding[] = [];
    for (let at = 0; at < evidence.length; at += blobsAtOnce) {
      const slice = evidence.slice(at, at + blobsAtOnce);
      const judged = await Promise.all(slice.map((one) => this.#judgeOne(index, one)));
      findings.push(...judged.flat());
    }
    return findings;
  }

  async #judgeOne(index: PassageIndex, evidence: Evidence): Promise<Finding[]> {
    const { key, record } = evidence;
    const ofBlobs = record ? await judgeBlobs(this.#parts.stores.blobs, record) : [];
    const cannotBeMade = ofBlobs.some(({ discrepancy }) => discrepancy === Discrepancy.MISSING_ORIGINAL);
    const ofIndex = cannotBeMade ? undefined : judgeIndexed(evidence, index);
    const findings = ofBlobs.map((finding) => ({ ...finding, key, record }));
    return ofIndex === undefined ? findings : [{ discrepancy: ofIndex, key, record, blobs: [] }, ...findings];
  }

  /** What the catalog knows was looked at from its side. */
  async #orphansAmong(index: PassageIndex, keys: readonly DocumentKey[]): Promise<Finding[]> {
    const records = await this.#parts.catalog.read(keys);
    const unknown = keys.filter((_, place) => !records[place]);
    const evidence = await gather(
      index,
      unknown,
      unknown.map(() => undefined),
    );
    return this.#judge(index, evidence);
  }

  /** Counts what is found again at a second look, and mends it. */
  async #settle(
    index: PassageIndex,
    suspects: readonly Finding[],
    repair: boolean,
    tally: Tally,
    signal: AbortSignal,
  ): Promise<void> {
    await delay(this.#parts.pauseMs ?? defaultPauseMs, undefined, { signal });
    const confirmed = await this.#lookAgain(index, suspects);
    tally.found(confirmed);
    if (!repair) return;
    await this.#mend(confirmed, signal);
    const left = new Set((await this.#lookAgain(index, confirmed)).map(nameOf));
    tally.mended(
      confirmed.filter(
        (finding) => finding.discrepancy === Discrepancy.UNUSED_BLOB || !left.has(nameOf(finding)),
      ),
    );
  }

  /** Those of the findings that are so still. */
  async #lookAgain(index: PassageIndex, findings: readonly Finding[]): Promise<Finding[]> {
    const keys = [...new Map(findings.map(({ key }) => [keyOf(key), key])).values()];
    const again = new Map<string, Finding>();
    for (let at = 0; at < keys.length; at += pageSize) {
      const batch = keys.slice(at, at + pageSize);
      const evidence = await gather(index, batch, await this.#parts.catalog.read(batch));
      for (const finding of await this.#judge(index, evidence)) again.set(nameOf(finding), finding);
    }
    return findings.flatMap((finding) => {
      const now = again.get(nameOf(finding));
      return now && isSame(finding, now) ? now : [];
    });
  }

  /** Resolves once all of it has gone its way through the log. */
  async #mend(findings: readonly Finding[], signal: AbortSignal): Promise<void> {
    const { catalog, appender } = this.#parts;
    await catalog.addUnusedBlobs(findings.flatMap(({ blobs }) => blobs));
    const events = new Map(
      findings.flatMap(({ discrepancy, key, record }) => {
        if (discrepancy === Discrepancy.ORPHANED_PASSAGES) return [[keyOf(key), sweepEvent(key)] as const];
        if (!record?.served || !isMadeAnew(discrepancy)) return [];
        return [[keyOf(key), reindexEvent(key, record.served)] as const];
      }),
    );
    const positions = await Promise.all(
      [...events.values()].map((record) => appender.append({ record, status: undefined }, signal)),
    );
    await this.#untilDone(positions, signal);
  }

  async #untilDone(positions: readonly LogPosition[], signal: AbortSignal): Promise<void> {
    const { stores, group } = this.#parts;
    const ends = new Map<number, number>();
    for (const { partition, offset } of positions)
      ends.set(partition, Math.max(offset, ends.get(partition) ?? 0));
    const isDone = async () =>
      (await stores.log.lag(group)).every(
        ({ partition, committedOffset }) => committedOffset > (ends.get(partition) ?? -1),
      );
    while (!(await isDone())) await delay(pollMs, undefined, { signal });
  }
}

function isMadeAnew(discrepancy: Discrepancy): boolean {
  return discrepancy !== Discrepancy.MISSING_ORIGINAL && discrepancy !== Discrepancy.UNUSED_BLOB;
}

function nameOf({ key, discrepancy }: Finding): string {
  return `${discrepancy} ${keyOf(key)}`;
}
