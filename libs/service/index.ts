export type { AdminServer } from "./admin-server.ts";
export { startAdminServer } from "./admin-server.ts";
export { spareGarbageCollection } from "./garbage-collection.ts";
export { processSettings, runService, stopSignal } from "./run-service.ts";
export type { RunningService } from "./service.ts";
export { serviceBehind } from "./service.ts";
