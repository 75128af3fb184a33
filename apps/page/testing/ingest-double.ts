import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { IngestService } from "@headwater/proto/connect/headwater/v1/ingest";
import { DocumentState } from "@headwater/proto/connect/headwater/v1/ingest";
import type { DocumentStoreDouble, StoredDocument } from "./document-store-double.ts";
import { documentMessage, metadataMessage } from "./document-store-double.ts";

const states = [
  DocumentState.QUEUED,
  DocumentState.PARSING,
  DocumentState.EMBEDDING,
  DocumentState.INDEXED,
  DocumentState.FAILED,
];

/** The ingest service over documents in memory. */
export function ingestDouble(store: DocumentStoreDouble): Partial<ServiceImpl<typeof IngestService>> {
  const find = (id: string): StoredDocument => {
    const stored = store.documents.get(id);
    if (!stored) throw new ConnectError(`There is no document ${id}.`, Code.NotFound);
    return stored;
  };
  return {
    async *watch(_request, { signal }) {
      const news: StoredDocument[] = [];
      let wake = () => {};
      const stop = store.listen((document) => {
        news.push({ ...document });
        wake();
      });
      signal.addEventListener("abort", () => wake());
      try {
        while (!signal.aborted) {
          const document = news.shift();
          if (document) yield { document: documentMessage(document) };
          else
            await new Promise<void>((done) => {
              wake = done;
            });
        }
      } finally {
        stop();
      }
    },
    getDocument: ({ id }) => ({ document: documentMessage(find(id)) }),
    getText({ id, version, range }) {
      const stored = find(id);
      if (stored.state !== DocumentState.INDEXED || (version !== 0n && Number(version) !== stored.version))
        throw new ConnectError("This version has no text.", Code.NotFound);
      const start = Math.min(range?.start ?? 0, stored.text.length);
      const end = Math.min(range?.end ?? stored.text.length, stored.text.length);
      return {
        metadata: metadataMessage(stored),
        text: stored.text.slice(start, end),
        range: { start, end },
        textLength: stored.text.length,
      };
    },
    async *getOriginal({ id }) {
      const stored = find(id);
      yield { metadata: metadataMessage(stored), data: new TextEncoder().encode(stored.text) };
    },
    listDocuments({ states, idPrefix, pageSize, pageToken }) {
      const all = [...store.documents.values()]
        .filter(({ id }) => id.startsWith(idPrefix) && id > pageToken)
        .filter(({ state }) => (states.length > 0 ? states.includes(state) : state !== DocumentState.DELETED))
        .sort((a, b) => (a.id < b.id ? -1 : 1));
      const size = pageSize || 100;
      return {
        documents: all.slice(0, size).map(documentMessage),
        nextPageToken: all.length > size ? (all[size - 1]?.id ?? "") : "",
      };
    },
    deleteDocument({ id }) {
      store.move(id, DocumentState.DELETED);
      return { partition: 0, offset: 1n };
    },
    getPipeline: () => ({
      documents: states.map((state) => ({
        state,
        documents: BigInt(store.inState(state).length),
      })),
      partitions: [0, 1, 2, 3].map((partition) => ({
        partition,
        endOffset: BigInt(store.documents.size),
        committedOffset: BigInt(
          partition === 0
            ? store.documents.size - store.inState(DocumentState.QUEUED).length
            : store.documents.size,
        ),
      })),
      deadLetters: BigInt(store.inState(DocumentState.FAILED).length),
      passages: BigInt(store.passages().length),
      indexFingerprint: "bge-small-en-v1.5-double",
      indexedSinceStart: BigInt(store.inState(DocumentState.INDEXED).length),
    }),
    listDeadLetters: () => ({
      deadLetters: store.inState(DocumentState.FAILED).map((stored) => ({
        id: `letter-${stored.id}`,
        documentId: stored.id,
        version: BigInt(stored.version),
        ...(stored.failure ? { failure: stored.failure } : {}),
        failedTime: timestampFromDate(stored.updated),
      })),
    }),
    replayDeadLetters({ ids }) {
      const letters = store
        .inState(DocumentState.FAILED)
        .filter(({ id }) => ids.length === 0 || ids.includes(`letter-${id}`));
      for (const { id } of letters) store.move(id, DocumentState.QUEUED);
      return { replayed: letters.length };
    },
    async *reindex() {
      const total = BigInt(store.inState(DocumentState.INDEXED).length);
      yield { done: 0n, total };
      yield { done: total, total };
    },
  };
}
