import assert from "node:assert/strict";
import type { DeadLetter } from "@headwater/document-log";
import { documentLogSettings, openDocumentLog } from "@headwater/document-log";
import type { Document } from "@headwater/proto/services/headwater/v1/ingest";
import { DocumentState, IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import { createRpcClient } from "@headwater/rpc";
import { readSettings } from "@headwater/settings";
import type { SeenDocument } from "./indexes.ts";
import { Indexes } from "./indexes.ts";
import type { ExpectedDocument, FaultWorkload } from "./workload.ts";

const everyState = [
  DocumentState.QUEUED,
  DocumentState.PARSING,
  DocumentState.EMBEDDING,
  DocumentState.INDEXED,
  DocumentState.FAILED,
  DocumentState.DELETED,
];

/**
 * Every document exactly once in both indexes, in its latest version alone; nothing lost; dead letters for the poisoned
 * events and no others.
 *
 * @param environment settings of the installation
 * @param ingest host:port
 * @throws AssertionError
 */
export async function assertOutcome(
  environment: Record<string, string>,
  ingest: string,
  workload: FaultWorkload,
): Promise<void> {
  const passages = await assertCatalog(ingest, workload);
  await assertIndexes(environment, workload, passages);
  await assertDeadLetters(environment, workload);
}

/** @returns number of passages by document, as the catalog has them */
async function assertCatalog(
  ingest: string,
  { tenant, expected }: FaultWorkload,
): Promise<Map<string, number>> {
  const client = createRpcClient(IngestServiceDefinition, ingest);
  try {
    const documents: Document[] = [];
    let pageToken = "";
    do {
      const page = await client.call.listDocuments({
        ...{ tenant, pageSize: 1000, states: everyState, pageToken },
      });
      documents.push(...page.documents);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    const found = documents.map(({ metadata, state }) => [
      metadata?.id ?? "",
      nameOf(state),
      metadata?.version ?? 0,
    ]);
    const wanted = [...expected].map(([id, { state, version }]) => [id, nameOf(state), version]);
    assert.deepEqual(sorted(found), sorted(wanted), "the catalog");
    for (const [id, { served }] of expected) {
      if (!served) continue;
      await assert.doesNotReject(async () => {
        const { text } = await client.call.getText({ tenant, id });
        assert.equal(text, served.text.slice(0, text.length));
      }, `the text of ${id}`);
    }
    return new Map(
      documents.flatMap(({ metadata, state, passages }) =>
        metadata && state === DocumentState.INDEXED ? [[metadata.id, passages]] : [],
      ),
    );
  } finally {
    client.close();
  }
}

async function assertIndexes(
  environment: Record<string, string>,
  { tenant, expected }: FaultWorkload,
  passages: ReadonlyMap<string, number>,
): Promise<void> {
  const indexes = await Indexes.open(environment);
  try {
    const listed = await indexes.list(tenant);
    const found = listed.map(({ documentId, version }) => [documentId, version]);
    const wanted = [...expected].flatMap(([id, { served }]) => (served ? [[id, served.version]] : []));
    assert.deepEqual(sorted(found), sorted(wanted), "the indexes");
    for (const { documentId, lexicalPassages, vectorPassages } of listed) {
      assert.equal(lexicalPassages, vectorPassages, `both indexes hold as much of ${documentId}`);
      assert.equal(passages.get(documentId) ?? lexicalPassages, lexicalPassages, `passages of ${documentId}`);
    }
    for (const seen of [await indexes.byWords(tenant), await indexes.byVectors(tenant)]) {
      assert.deepEqual(sorted([...seen.keys()]), sorted(wanted.map(([id]) => id)), "what a search finds");
      for (const [id, document] of seen) assertText(id, document, expected.get(id)?.served);
    }
  } finally {
    await indexes.close();
  }
}

/** The passages of a document are slices of its text, and leave out nothing. */
function assertText(id: string, seen: SeenDocument, served: ExpectedDocument["served"]): void {
  assert.equal(seen.version, served?.version, id);
  const text = served?.text ?? "";
  let covered = 0;
  for (const passage of seen.passages) {
    assert.equal(passage.text, text.slice(passage.start, passage.end), `a passage of ${id}`);
    assert.equal(text.slice(covered, passage.start).trim(), "", `a hole in ${id}`);
    covered = Math.max(covered, passage.end);
  }
  assert.equal(text.slice(covered).trim(), "", `the end of ${id}`);
}

async function assertDeadLetters(
  environment: Record<string, string>,
  { tenant, deadLetters }: FaultWorkload,
): Promise<void> {
  const log = await openDocumentLog(readSettings(documentLogSettings, environment), { folder: "" });
  try {
    const letters: DeadLetter[] = [];
    let after: string | undefined;
    do {
      const page = await log.listDeadLetters({ tenant, limit: 100, ...(after ? { after } : {}) });
      letters.push(...page.deadLetters);
      after = page.next;
    } while (after !== undefined);
    const found = new Map(letters.map(({ record, reason }) => [record.key, reason]));
    assert.deepEqual(sorted([...found]), sorted([...deadLetters]), "the dead letters");
    // A producer may have written an event twice; one that is there once may not have two letters.
    const origins = letters.map(({ record }) => `${record.partition}/${record.offset}`);
    assert.equal(new Set(origins).size, origins.length, "an event has one dead letter");
  } finally {
    await log.close();
  }
}

function nameOf(state: DocumentState): string | undefined {
  return Object.entries(DocumentState).find(([, value]) => value === state)?.[0];
}

function sorted<T>(values: readonly T[]): T[] {
  return [...values].sort((a, b) => (String(a) < String(b) ? -1 : 1));
}
