import type { Client } from "@connectrpc/connect";
import type { IngestService, ReindexResponse } from "@headwater/proto/connect/headwater/v1/ingest";
import {
  Discrepancy as DiscrepancyNumber,
  ReindexAction as ReindexActionNumber,
} from "@headwater/proto/connect/headwater/v1/ingest";
import type { CallOptions } from "./call.ts";
import { connectOptions, stream, unary } from "./call.ts";
import { toDate } from "./document.ts";

/** Progress of a reindex; the last event has done equal to total. */
export interface ReindexProgress {
  readonly done: number;
  readonly total: number;
  readonly failed: number;
  /** True: it goes on where an earlier call was interrupted. */
  readonly resumed: boolean;
}

export interface ReindexOptions extends CallOptions {
  /**
   * "resume": goes on with one that was interrupted, or begins; "undo": the generation before serves again; "finish":
   * drops the generation that does not serve. Default "resume".
   */
  action?: "resume" | "undo" | "finish";
}

export const reindexStates = ["none", "filling", "catching up", "switched"] as const;
export type ReindexState = (typeof reindexStates)[number];

/** How the reindex of all tenants stands. */
export interface ReindexStatus {
  readonly state: ReindexState;
  /** True: it is being worked on at this moment. */
  readonly running: boolean;
  readonly done: number;
  readonly total: number;
  readonly failed: number;
  /** Documents that the generation which does not serve has yet to take in. */
  readonly changed: number;
  readonly startedTime: Date | undefined;
  readonly generations: readonly IndexGeneration[];
  /** Of the model and chunking at work now; empty where that is not known. */
  readonly fingerprint: string;
}

export interface IndexGeneration {
  readonly name: string;
  readonly serves: boolean;
  readonly passages: number;
  /** Of the model and chunking that it was made with. */
  readonly fingerprint: string;
}

export const discrepancies = [
  "orphaned passages",
  "missing passages",
  "incomplete passages",
  "other version",
  "missing original",
  "missing text",
  "unused blob",
] as const;
export type Discrepancy = (typeof discrepancies)[number];

/** Progress of a comparison of originals, catalog and indexes; the last event has done equal to total. */
export interface ReconcileProgress {
  readonly done: number;
  readonly total: number;
  /** So far; kinds that were not found are left out. */
  readonly findings: readonly ReconcileFinding[];
}

export interface ReconcileFinding {
  readonly discrepancy: Discrepancy;
  /** Documents; of "unused blob" blobs. */
  readonly found: number;
  readonly mended: number;
  /** Up to five of the documents. */
  readonly examples: readonly { readonly tenant: string; readonly id: string }[];
}

export interface ReconcileOptions extends CallOptions {
  /** True: what differs is mended. Default: it is only told. */
  repair?: boolean;
}

const actions = {
  resume: ReindexActionNumber.UNSPECIFIED,
  undo: ReindexActionNumber.UNDO,
  finish: ReindexActionNumber.FINISH,
};

export function reindex(
  ingest: Client<typeof IngestService>,
  tenant: string,
  options: ReindexOptions,
): AsyncGenerator<ReindexProgress, void, undefined> {
  const request = { tenant, action: actions[options.action ?? "resume"] };
  return stream(options, (call) => ingest.reindex(request, call), toProgress);
}

function toProgress({ done, total, failed, resumed }: ReindexResponse): ReindexProgress {
  return { done: Number(done), total: Number(total), failed: Number(failed), resumed };
}

export async function getReindex(
  ingest: Client<typeof IngestService>,
  options: CallOptions,
): Promise<ReindexStatus> {
  const message = await unary(ingest.getReindex({}, connectOptions(options)));
  const { running, startedTime, generations, fingerprint } = message;
  return {
    state: reindexStates[message.state] ?? "none",
    running,
    done: Number(message.done),
    total: Number(message.total),
    failed: Number(message.failed),
    changed: Number(message.changed),
    startedTime: toDate(startedTime),
    generations: generations.map(({ name, serves, passages, fingerprint: madeWith }) => ({
      ...{ name, serves },
      passages: Number(passages),
      fingerprint: madeWith,
    })),
    fingerprint,
  };
}

export function reconcile(
  ingest: Client<typeof IngestService>,
  tenant: string,
  options: ReconcileOptions,
): AsyncGenerator<ReconcileProgress, void, undefined> {
  const request = { tenant, repair: options.repair ?? false };
  return stream(
    options,
    (call) => ingest.reconcile(request, call),
    ({ done, total, findings }) => ({
      done: Number(done),
      total: Number(total),
      findings: findings.flatMap(({ discrepancy, found, mended, examples }) => {
        const name = nameOf(discrepancy);
        if (!name) return [];
        return {
          discrepancy: name,
          found: Number(found),
          mended: Number(mended),
          examples: examples.map(({ tenant: owner, id }) => ({ tenant: owner, id })),
        };
      }),
    }),
  );
}

/** Undefined for a kind that this client is too old to know. */
function nameOf(discrepancy: DiscrepancyNumber): Discrepancy | undefined {
  return discrepancies[discrepancy - DiscrepancyNumber.ORPHANED_PASSAGES];
}
