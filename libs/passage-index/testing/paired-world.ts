import assert from "node:assert/strict";
import type { SampleDocument } from "../conformance-documents.ts";
import { dimensions, vectorOf } from "../conformance-documents.ts";
import { documentKey } from "../document-key.ts";
import { PairedIndex } from "../paired-index.ts";
import { sweep } from "../paired-sweep.ts";
import type { PassageIndex } from "../passage-index.ts";
import { abandonedAfterMs, RevisionClock } from "../revision-clock.ts";
import type { Gate, MemoryServers } from "./memory-engines.ts";
import { serverDown } from "./memory-engines.ts";

/*
 * Two engines and a ledger in memory, each step of which is a step of its own: one passage, one entry.
 */

export const tenant = "default";
const description = { generation: "g", fingerprint: { model: "m", chunking: "c" }, dimensions };
const freely: Gate = async () => {};
/** By this clock every writing that is under way was abandoned. */
export const later = () => Date.now() + 2 * abandonedAfterMs;

/** What a reader sees: texts by document. */
export type View = Map<string, string[]>;

export function expectedView(documents: readonly SampleDocument[]): View {
  return new Map(documents.flatMap(({ id, texts }) => (texts.length > 0 ? [[id, [...texts].sort()]] : [])));
}

/** In place of random numbers, so that no two writers of a test ever have the same. */
let numbers = 1000;
function distinct(): number {
  numbers += 1;
  return numbers;
}

export function open(servers: MemoryServers, gate: Gate = freely): PairedIndex {
  const clock = new RevisionClock(Date.now, distinct);
  return new PairedIndex({
    ...{ description, readOnly: false, clock, onSearchFailed: () => {} },
    ...servers.connect(gate),
  });
}

export async function viewOf(search: ReturnType<PassageIndex["searchLexical"]>): Promise<View> {
  const view: View = new Map();
  for (const { passage } of await search)
    view.set(passage.documentId, [...(view.get(passage.documentId) ?? []), passage.text].sort());
  return view;
}

/** What can be seen by words, by vectors, and by vectors while the ledger is down. */
export async function views(servers: MemoryServers): Promise<[View, View, View]> {
  const index = open(servers);
  const blind = open(servers, async (server) => {
    if (server === "ledger") throw serverDown(server);
  });
  return [
    await viewOf(index.searchLexical("x", { tenant }, 100)),
    await viewOf(index.searchVector(vectorOf("x"), { tenant }, 100)),
    await viewOf(blind.searchVector(vectorOf("x"), { tenant }, 100)),
  ];
}

/** By all three ways. */
export async function assertSeen(
  servers: MemoryServers,
  expected: readonly SampleDocument[],
  where: string,
): Promise<void> {
  for (const view of await views(servers))
    assert.deepEqual([...view].sort(), [...expectedView(expected)].sort(), where);
}

/** After housekeeping the engines hold what the ledger names, and nothing else. */
export async function assertTidy(servers: MemoryServers, where: string): Promise<void> {
  await sweep({ ...servers.connect(freely), clock: new RevisionClock(later), dimensions }, later());
  const index = open(servers);
  const listed = await Array.fromAsync(index.listDocuments());
  const passages = listed.reduce((sum, { lexicalPassages }) => sum + lexicalPassages, 0);
  for (const { documentId, lexicalPassages, vectorPassages } of listed)
    assert(lexicalPassages > 0 && lexicalPassages === vectorPassages, `${where}: ${documentId}`);
  for (const held of [servers.lexical, servers.vector]) {
    assert.equal(held.size, passages, `${where}: orphans`);
    for (const { passage, revision } of held.values())
      assert.equal(servers.ledger.get(documentKey(passage))?.entry.revision, revision, where);
  }
  assert.equal(await index.count(), passages, where);
}
