import { randomUUID } from "node:crypto";
import { documentKey } from "./document-key.ts";
import type { DocumentRevision, HeldRevision, PassageEngine } from "./engine.ts";
import type { LedgerRecord } from "./ledger.ts";
import type { PairedParts } from "./paired-writer.ts";
import { abandonedAfterMs } from "./revision-clock.ts";

/** What is kept of a removed document tells a writer who slept that its passages are of no use any more. */
const removedKeptMs = 24 * 60 * 60_000;
const pageSize = 1000;

/**
 * Removes what writers left behind who died between two steps.
 *
 * @param now Unix milliseconds
 * @param signal ends it after the page at hand; what is left is left for the next one
 */
export async function sweep(parts: PairedParts, now = Date.now(), signal?: AbortSignal): Promise<void> {
  const { lexical, vector, ledger } = parts;
  for (const engine of [lexical, vector])
    for await (const page of inPages(engine.list())) {
      signal?.throwIfAborted();
      await sweepPage(parts, engine, page, now);
    }
  for await (const page of inPages(ledger.list())) {
    signal?.throwIfAborted();
    const old = page.filter(({ entry }) => entry.passages === 0 && now - entry.changedAt > removedKeptMs);
    if (old.length > 0) await ledger.forget(old);
  }
}

async function sweepPage(
  parts: PairedParts,
  engine: PassageEngine,
  held: readonly HeldRevision[],
  now: number,
): Promise<void> {
  const { vector, ledger, clock } = parts;
  const records = await ledger.read(held);
  const superseded: DocumentRevision[] = [];
  const named: DocumentRevision[] = [];
  const abandoned: { readonly revision: DocumentRevision; readonly record: LedgerRecord | undefined }[] = [];
  for (const [at, revision] of held.entries()) {
    const record = records[at];
    const entry = record?.entry;
    if (entry?.revision === revision.revision) continue;
    if (entry && Math.max(entry.revision, entry.fence) > revision.revision) {
      superseded.push(revision);
      if (entry.passages > 0) named.push(entry);
    } else if (entry?.fence === revision.revision) superseded.push(revision);
    else if (clock.age(revision.revision) > abandonedAfterMs) abandoned.push({ revision, record });
  }
  superseded.push(...(await fence(parts, abandoned, now)));
  if (superseded.length === 0) return;
  // Its writer may have died before it did this itself.
  if (engine === vector && named.length > 0) await vector.markVisible(named);
  await engine.removeRevisions(superseded);
}

/** From here on these revisions cannot be named, should their writers wake up. @returns those that could be fenced */
async function fence(
  { ledger }: PairedParts,
  abandoned: readonly { readonly revision: DocumentRevision; readonly record: LedgerRecord | undefined }[],
  now: number,
): Promise<DocumentRevision[]> {
  if (abandoned.length === 0) return [];
  // Of a document that was abandoned several times the highest, which stands for all below it.
  const highest = new Map<string, (typeof abandoned)[number]>();
  for (const one of abandoned) {
    const key = documentKey(one.revision);
    const before = highest.get(key);
    if (!before || before.revision.revision < one.revision.revision) highest.set(key, one);
  }
  const fenced = [...highest.values()];
  const made = await ledger.write(
    fenced.map(({ revision: { tenant, documentId, revision }, record }) => ({
      entry: {
        ...(record?.entry ?? { tenant, documentId, revision: 0, version: 0, passages: 0 }),
        // Changed now, so that it is kept as long as that writer might sleep.
        ...{ fence: revision, attempt: randomUUID(), changedAt: now },
      },
      instead: record,
    })),
  );
  const done = new Set(fenced.filter((_, at) => made[at]).map(({ revision }) => documentKey(revision)));
  return abandoned.flatMap(({ revision }) => (done.has(documentKey(revision)) ? [revision] : []));
}

async function* inPages<T>(all: AsyncIterable<T>): AsyncGenerator<T[]> {
  let page: T[] = [];
  for await (const one of all) {
    page.push(one);
    if (page.length < pageSize) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
