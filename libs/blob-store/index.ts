export type {
  BlobStore,
  PresignedGet,
  PresignedPut,
  PresignGetOptions,
  PresignPutOptions,
} from "./blob-store.ts";
export { openEmbeddedBlobStore } from "./embedded-blob-store.ts";
export { openFolderBlobStore } from "./folder-blob-store.ts";
export { openBlobStore } from "./open-blob-store.ts";
export { openS3BlobStore } from "./s3-blob-store.ts";
export type { BucketObject, BucketObjectContent, BucketPage, S3Bucket } from "./s3-bucket.ts";
export { openS3Bucket } from "./s3-bucket.ts";
export type { BlobStoreValues, S3BlobStoreOptions } from "./s3-settings.ts";
export { blobStoreSettings } from "./s3-settings.ts";
