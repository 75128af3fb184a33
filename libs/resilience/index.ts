export type { CallOptions, DependencyOptions } from "./dependency.ts";
export { Dependency } from "./dependency.ts";
export { registerDependencyMetrics } from "./metrics.ts";
export type { PeriodicWorkOptions } from "./periodic-work.ts";
export { PeriodicWork } from "./periodic-work.ts";
export type { RetryOptions } from "./retry.ts";
export { backoffMs, retry } from "./retry.ts";
export { RetryBudget } from "./retry-budget.ts";
export { untilAborted } from "./until-aborted.ts";
