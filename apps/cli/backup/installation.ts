import { dirname } from "node:path";
import type { BlobStore } from "@headwater/blob-store";
import { openBlobStore } from "@headwater/blob-store";
import type { DocumentLog } from "@headwater/document-log";
import { createDocumentLogTopics, openDocumentLog } from "@headwater/document-log";
import { keptRecords as keptOfGeneration } from "@headwater/generation/backup";
import { readRecordsConfig } from "@headwater/generation/config";
import { keptRecords as keptOfIngest } from "@headwater/ingest/backup";
import type { KeptRecords, RecordStore } from "@headwater/record-store";
import { openRecordStore } from "@headwater/record-store";
import { lockDataFolder } from "../stack/data-folder-lock.ts";
import { readStoreConfig } from "../store-config.ts";

/** The records of one service. */
export interface ServiceRecords {
  readonly store: RecordStore;
  readonly kept: KeptRecords;
}

/** What holds the truth of an installation; the indexes are made of it. */
export interface Installation {
  readonly ingest: ServiceRecords;
  readonly generation: ServiceRecords;
  readonly blobs: BlobStore;
  readonly log: DocumentLog;
  /** Ingest's consumer group in the log. */
  readonly group: string;
  close(): Promise<void>;
}

/**
 * Opens the stores that the settings of the services name. Servers may be in use; a data folder may not.
 *
 * @param onError told what went wrong in a store's background work, which tries again by itself
 * @param options.create makes topics and bucket where they are not there
 */
export async function openInstallation(
  onError: (thrown: unknown) => void,
  { create }: { readonly create: boolean },
): Promise<Installation> {
  const { storeValues, folders, partitions, pipeline } = readStoreConfig();
  const generation = readRecordsConfig();
  const values = create ? { ...storeValues, HEADWATER_S3_CREATE_BUCKET: true } : storeValues;
  if (create) await createDocumentLogTopics(values, { partitions });
  await using opened = new AsyncDisposableStack();
  const keep = <Store extends { close(): Promise<void> }>(store: Store): Store => {
    opened.defer(() => store.close());
    return store;
  };
  const openRecords = async (kept: KeptRecords, folder: string): Promise<ServiceRecords> => ({
    store: keep(await openRecordStore(values, { folder, schema: kept.schema, onError })),
    kept,
  });
  const installation = {
    ingest: await openRecords(keptOfIngest, folders.records),
    generation: await openRecords(keptOfGeneration, generation.recordsFolder),
    blobs: keep(await openBlobStore(values, { folder: folders.blobs })),
    log: keep(await openDocumentLog(values, { folder: folders.log, partitions, onError })),
    group: pipeline.group,
  };
  const owned = opened.move();
  return { ...installation, close: () => owned.disposeAsync() };
}

/**
 * Takes the data folder where a store is in it, for as long as a backup or a restore runs.
 *
 * @throws HeadwaterError FAILED_PRECONDITION, HW_DATA_FOLDER_IN_USE
 */
export function lockEmbeddedStores(): Disposable {
  const { storeValues: values, folders } = readStoreConfig();
  const isEmbedded = [
    values.HEADWATER_POSTGRES_URL,
    values.HEADWATER_S3_BUCKET,
    values.HEADWATER_KAFKA_BROKERS,
  ].includes(undefined);
  if (!isEmbedded) return { [Symbol.dispose]: () => {} };
  const lock = lockDataFolder(dirname(folders.records));
  return { [Symbol.dispose]: () => lock.release() };
}
