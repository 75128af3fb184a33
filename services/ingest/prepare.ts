import { createDocumentLogTopics } from "@headwater/document-log";
import { Catalog } from "./catalog/catalog.ts";
import type { IngestConfig } from "./config.ts";
import { checkStores, closeStores, openStores } from "./stores.ts";

/**
 * Makes what ingest needs where it keeps things, and leaves what is there as it is: topics, bucket, database schema. For
 * a job that runs before the services, with rights that they need not have; to repeat it is harmless.
 *
 * @param onError told what went wrong in the background and is tried again
 * @throws HeadwaterError UNAVAILABLE where a server cannot be reached, FAILED_PRECONDITION where it refuses
 */
export async function prepareIngest(config: IngestConfig, onError: (thrown: unknown) => void): Promise<void> {
  const storeValues = { ...config.storeValues, HEADWATER_S3_CREATE_BUCKET: true };
  await createDocumentLogTopics(storeValues, { partitions: config.partitions });
  const stores = await openStores({ ...config, storeValues }, onError);
  try {
    const catalog = await Catalog.open(stores.records, onError);
    await catalog.close();
    await checkStores(stores);
  } finally {
    await closeStores(stores);
  }
}
