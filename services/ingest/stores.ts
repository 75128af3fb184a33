import type { BlobStore } from "@headwater/blob-store";
import { openFolderBlobStore } from "@headwater/blob-store";
import type { DocumentLog } from "@headwater/document-log";
import { openSqliteDocumentLog } from "@headwater/document-log";
import type { PassageIndexStore } from "@headwater/passage-index";
import { openLancePassageIndexStore } from "@headwater/passage-index";
import type { RecordStore } from "@headwater/record-store";
import { openPgliteRecordStore } from "@headwater/record-store";
import type { IngestConfig } from "./config.ts";

/** What ingest keeps things in. */
export interface Stores {
  readonly log: DocumentLog;
  readonly records: RecordStore;
  readonly blobs: BlobStore;
  readonly indexes: PassageIndexStore;
}

/** @param onError told what went wrong in a store's background work, which tries again by itself */
export async function openStores(config: IngestConfig, onError: (thrown: unknown) => void): Promise<Stores> {
  const { folders, partitions } = config;
  const opened: { close(): Promise<void> }[] = [];
  const keep = <Store extends { close(): Promise<void> }>(store: Store): Store => {
    opened.push(store);
    return store;
  };
  try {
    return {
      log: keep(
        await openSqliteDocumentLog({
          folder: folders.log,
          ...(partitions === undefined ? {} : { partitions }),
          onError,
        }),
      ),
      records: keep(await openPgliteRecordStore({ folder: folders.records, schema: "ingest" })),
      blobs: keep(await openFolderBlobStore({ folder: folders.blobs })),
      indexes: keep(await openLancePassageIndexStore({ folder: folders.index, onError })),
    };
  } catch (thrown) {
    for (const store of opened.reverse()) await store.close();
    throw thrown;
  }
}

export async function closeStores({ log, records, blobs, indexes }: Stores): Promise<void> {
  for (const store of [log, indexes, blobs, records]) await store.close();
}

/** @throws HeadwaterError UNAVAILABLE where one of them cannot be used */
export async function checkStores({ log, records, blobs, indexes }: Stores): Promise<void> {
  await Promise.all([log.checkHealth(), records.checkHealth(), blobs.checkHealth(), indexes.checkHealth()]);
}
