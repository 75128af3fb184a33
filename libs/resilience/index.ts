export type { CallOptions, DependencyOptions } from "./dependency.ts";
export { Dependency } from "./dependency.ts";
