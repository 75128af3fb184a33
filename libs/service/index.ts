export type { AdminServer } from "./admin-server.ts";
export { startAdminServer } from "./admin-server.ts";
export { processSettings, runService, stopSignal } from "./run-service.ts";
export type { RunningService } from "./service.ts";
