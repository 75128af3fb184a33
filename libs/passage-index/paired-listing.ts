import { documentKey } from "./document-key.ts";
import type { LexicalEngine, PassageEngine, VectorEngine } from "./engine.ts";
import type { Ledger, LedgerEntry, LedgerRecord } from "./ledger.ts";
import type { DocumentKey, IndexedDocument } from "./passage-index.ts";

interface Tally {
  readonly record: LedgerRecord;
  lexical: number;
  vector: number;
}

const pageSize = 1000;

/** What both engines hold of the documents that the ledger names; about 500 bytes of memory for each of them. */
export async function* listPairedDocuments(
  parts: { readonly lexical: LexicalEngine; readonly vector: VectorEngine; readonly ledger: Ledger },
  tenant?: string,
  documentIds?: readonly string[],
): AsyncGenerator<IndexedDocument> {
  const { lexical, vector, ledger } = parts;
  const tallies = new Map<string, Tally>();
  for await (const record of namedRecords(ledger, tenant, documentIds))
    tallies.set(documentKey(record.entry), { record, lexical: 0, vector: 0 });
  const count = async (side: "lexical" | "vector", engine: PassageEngine) => {
    for await (const held of engine.list(tenant, documentIds)) {
      const tally = tallies.get(documentKey(held));
      if (tally && tally.record.entry.revision === held.revision) tally[side] += held.passages;
    }
  };
  await Promise.all([count("lexical", lexical), count("vector", vector)]);
  const odd: Tally[] = [];
  for (const tally of tallies.values()) {
    const { entry } = tally.record;
    if (tally.lexical === entry.passages && tally.vector === entry.passages) yield toListed(entry);
    else odd.push(tally);
  }
  for (let at = 0; at < odd.length; at += pageSize) yield* judgeOdd(ledger, odd.slice(at, at + pageSize));
}

async function* namedRecords(
  ledger: Ledger,
  tenant: string | undefined,
  documentIds: readonly string[] | undefined,
): AsyncGenerator<LedgerRecord> {
  if (tenant === undefined || !documentIds) {
    for await (const record of ledger.list(tenant)) if (record.entry.passages > 0) yield record;
    return;
  }
  const keys = [...new Set(documentIds)].map((documentId): DocumentKey => ({ tenant, documentId }));
  for (const record of await ledger.read(keys)) if (record && record.entry.passages > 0) yield record;
}

/** Passages are missing, unless the document was written again while the engines were asked. */
async function* judgeOdd(ledger: Ledger, odd: readonly Tally[]): AsyncGenerator<IndexedDocument> {
  const now = await ledger.read(odd.map(({ record }) => record.entry));
  for (const [at, { record, lexical, vector }] of odd.entries()) {
    const entry = now[at]?.entry;
    if (!entry || entry.passages === 0) continue;
    // Its writer has seen both engines take it.
    if (entry.revision !== record.entry.revision) yield toListed(entry);
    else yield { ...toListed(entry), lexicalPassages: lexical, vectorPassages: vector };
  }
}

function toListed({ tenant, documentId, version, passages }: LedgerEntry): IndexedDocument {
  return { tenant, documentId, version, lexicalPassages: passages, vectorPassages: passages };
}
