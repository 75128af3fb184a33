export const benchSuites = [
  "embedding",
  "ingest",
  "search",
  "kafka",
  "peers",
  "memory",
  "chat",
  "units",
] as const;
export type BenchSuite = (typeof benchSuites)[number];

export interface BenchOptions {
  readonly collection?: string;
  /** Undefined: as many as the suite needs for a steady figure. */
  readonly texts?: number;
  readonly rounds: number;
  readonly passages: number;
  readonly documents: number;
  readonly streams: number;
  readonly pace: readonly number[];
  readonly apart?: boolean;
  readonly json?: boolean;
}
