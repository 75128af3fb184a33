import type { BlobStore } from "./blob-store.ts";
import { openEmbeddedBlobStore } from "./embedded-blob-store.ts";
import { openS3BlobStore } from "./s3-blob-store.ts";
import type { BlobStoreValues } from "./s3-settings.ts";
import { readS3Options } from "./s3-settings.ts";

/**
 * S3 where HEADWATER_S3_BUCKET names a bucket, else the embedded store.
 *
 * @param options.folder of the embedded store; not used with S3
 * @throws HeadwaterError UNAVAILABLE or FAILED_PRECONDITION where it cannot be opened
 */
export async function openBlobStore(
  values: BlobStoreValues,
  options: { readonly folder: string },
): Promise<BlobStore> {
  const bucket = values.HEADWATER_S3_BUCKET;
  if (bucket === undefined) return await openEmbeddedBlobStore(options);
  return await openS3BlobStore(readS3Options(bucket, values));
}
