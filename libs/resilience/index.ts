export type { CallOptions, DependencyOptions } from "./dependency.ts";
export { Dependency } from "./dependency.ts";
export { RetryBudget } from "./retry-budget.ts";
