export type { EmbeddingProcess } from "./embedding-process.ts";
export { startEmbeddingProcess } from "./embedding-process.ts";
export type { FlakyServer } from "./flaky-server.ts";
export { startFlakyServer } from "./flaky-server.ts";
export { realServer } from "./real-server.ts";
export type { SmallDisk } from "./small-disk.ts";
export { mountSmallDisk, smallDisk } from "./small-disk.ts";
export { temporaryFolder } from "./temporary-folder.ts";
export { until } from "./until.ts";
