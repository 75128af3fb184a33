import { createHash } from "node:crypto";
import type { estypes } from "@elastic/elasticsearch";
import { documentKey } from "./document-key.ts";
import { sendBulk } from "./elastic-bulk.ts";
import type { ElasticConnection } from "./elastic-connection.ts";
import { errorOf } from "./elastic-errors.ts";
import { indexNames, writeAlias } from "./elastic-mapping.ts";
import type { ElasticOptions } from "./elastic-options.ts";
import { ofDocuments } from "./elastic-query.ts";
import { scan } from "./elastic-scan.ts";
import type { Ledger, LedgerChange, LedgerEntry, LedgerRecord } from "./ledger.ts";
import type { DocumentKey } from "./passage-index.ts";

/** An entry as Elasticsearch keeps it; see `ledgerIndex`. */
interface EntrySource {
  readonly tenant: string;
  readonly document_id: string;
  readonly revision: number;
  readonly version: number;
  readonly passages: number;
  readonly fence: number;
  readonly attempt: string;
  readonly changed_at: number;
}

/** Entries read in one request. */
const pageSize = 1000;

/**
 * One index a generation. Entries are read in real time, which needs no refresh, and changed only where nothing else has
 * changed them since. A tenant lies in one shard: the sequence numbers of that shard are the order of its entries.
 */
export class ElasticLedger implements Ledger {
  readonly #connection: ElasticConnection;
  readonly #options: ElasticOptions;
  readonly #index: string;

  constructor(connection: ElasticConnection, options: ElasticOptions, generation: string) {
    this.#connection = connection;
    this.#options = options;
    this.#index = indexNames(options.prefix, generation).ledger;
  }

  async read(documents: readonly DocumentKey[], signal?: AbortSignal): Promise<(LedgerRecord | undefined)[]> {
    const records: (LedgerRecord | undefined)[] = [];
    for (let at = 0; at < documents.length; at += pageSize) {
      const docs = documents
        .slice(at, at + pageSize)
        .map((document) => ({ _id: entryId(document), routing: document.tenant }));
      const page = await this.#connection.ask(
        (client, limits) => client.mget<EntrySource>({ index: this.#index, docs }, limits),
        signal,
      );
      records.push(...page.docs.map(toRecord));
    }
    return records;
  }

  async write(changes: readonly LedgerChange[]): Promise<boolean[]> {
    const statuses = await this.#send(
      changes.map(({ entry, instead }) => ({
        action: instead ? { index: { ...nameOf(entry), ...placeOf(instead) } } : { create: nameOf(entry) },
        source: toSource(entry),
      })),
    );
    return statuses.map((http) => http < 300);
  }

  async forget(records: readonly LedgerRecord[]): Promise<void> {
    await this.#send(
      records.map((record) => ({ action: { delete: { ...nameOf(record.entry), ...placeOf(record) } } })),
    );
  }

  async *list(tenant?: string): AsyncIterable<LedgerRecord> {
    await this.#refresh();
    const request = {
      ...{ index: this.#index, query: ofDocuments(tenant), seq_no_primary_term: true },
      ...(tenant !== undefined && { routing: tenant }),
    };
    for await (const { _source, _seq_no = 0, _primary_term = 0 } of scan<EntrySource>(
      this.#connection,
      request,
    ))
      if (_source) yield { entry: toEntry(_source), position: { term: _primary_term, sequence: _seq_no } };
  }

  async count(): Promise<number> {
    await this.#refresh();
    const { aggregations } = await this.#connection.work((client, limits) =>
      client.search<never, { sum: estypes.AggregationsSumAggregate }>(
        { index: this.#index, size: 0, aggs: { sum: { sum: { field: "passages" } } } },
        limits,
      ),
    );
    return aggregations?.sum.value ?? 0;
  }

  #send(operations: Parameters<typeof sendBulk>[1]): Promise<number[]> {
    const { batchBytes: maxBytes } = this.#options;
    const index = writeAlias(this.#index);
    return sendBulk(this.#connection, operations, { index, maxBytes, refresh: false });
  }

  async #refresh(): Promise<void> {
    await this.#connection.work((client, limits) => client.indices.refresh({ index: this.#index }, limits));
  }
}

/** Of fixed length: ids of documents are longer than the 512 bytes that Elasticsearch takes. */
function entryId(document: DocumentKey): string {
  return createHash("sha256").update(documentKey(document)).digest("base64url");
}

function nameOf(document: DocumentKey) {
  return { _id: entryId(document), routing: document.tenant };
}

function placeOf({ position }: LedgerRecord) {
  return { if_seq_no: position.sequence, if_primary_term: position.term };
}

function toRecord(item: estypes.MgetResponseItem<EntrySource>): LedgerRecord | undefined {
  if ("error" in item) throw errorOf(500, item.error);
  if (!item.found || !item._source) return undefined;
  const { _seq_no: sequence = 0, _primary_term: term = 0 } = item;
  return { entry: toEntry(item._source), position: { term, sequence } };
}

function toSource({ documentId, changedAt, ...entry }: LedgerEntry): EntrySource {
  return { ...entry, document_id: documentId, changed_at: changedAt };
}

function toEntry({ document_id, changed_at, ...entry }: EntrySource): LedgerEntry {
  return { ...entry, documentId: document_id, changedAt: changed_at };
}
