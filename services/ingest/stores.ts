import type { BlobStore } from "@headwater/blob-store";
import { openBlobStore } from "@headwater/blob-store";
import type { DocumentLog } from "@headwater/document-log";
import { openDocumentLog } from "@headwater/document-log";
import type { PassageIndexStore } from "@headwater/passage-index";
import { openPassageIndexStore } from "@headwater/passage-index";
import type { RecordStore } from "@headwater/record-store";
import { openRecordStore } from "@headwater/record-store";
import type { IngestConfig } from "./config.ts";

/** What ingest keeps things in. */
export interface Stores {
  readonly log: DocumentLog;
  readonly records: RecordStore;
  readonly blobs: BlobStore;
  readonly indexes: PassageIndexStore;
}

/**
 * Opens each store where the settings say: on servers, or in the data folder.
 *
 * @param onError told what went wrong in a store's background work, which tries again by itself
 */
export async function openStores(config: IngestConfig, onError: (thrown: unknown) => void): Promise<Stores> {
  const { folders, partitions, storeValues } = config;
  await using opened = new AsyncDisposableStack();
  const keep = <Store extends { close(): Promise<void> }>(store: Store): Store => {
    opened.defer(() => store.close());
    return store;
  };
  const records = { folder: folders.records, schema: "ingest", onError };
  const stores = {
    log: keep(await openDocumentLog(storeValues, { folder: folders.log, partitions, onError })),
    records: keep(await openRecordStore(storeValues, records)),
    blobs: keep(await openBlobStore(storeValues, { folder: folders.blobs })),
    indexes: keep(await openPassageIndexStore(storeValues, { folder: folders.index, onError })),
  };
  // All are open: from here on they are closed by `closeStores`.
  opened.move();
  return stores;
}

export async function closeStores({ log, records, blobs, indexes }: Stores): Promise<void> {
  for (const store of [log, indexes, blobs, records]) await store.close();
}

/** @throws HeadwaterError UNAVAILABLE where one of them cannot be used */
export async function checkStores({ log, records, blobs, indexes }: Stores): Promise<void> {
  await Promise.all([log.checkHealth(), records.checkHealth(), blobs.checkHealth(), indexes.checkHealth()]);
}
