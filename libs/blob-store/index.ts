export type { BlobStore } from "./blob-store.ts";
export { openFolderBlobStore } from "./folder-blob-store.ts";
