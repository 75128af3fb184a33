/** A point of a process's memory over time. */
export interface MemorySample {
  readonly seconds: number;
  /** Resident set. */
  readonly megabytes: number;
}

/** @param metrics host:port of the process's metrics */
export async function residentMegabytes(metrics: string): Promise<number> {
  const page = await (await fetch(`http://${metrics}/metrics`)).text();
  const value = /^process_resident_memory_bytes(?:\{[^}]*\})? (\S+)$/m.exec(page)?.[1];
  if (value === undefined) throw new Error("the server does not report its memory");
  return Math.round(Number(value) / 1e6);
}

/** Mean of the last quarter of a curve against the mean of its second quarter. */
export function growthOf(curve: readonly MemorySample[]): number {
  const quarter = Math.floor(curve.length / 4);
  const mean = (samples: readonly MemorySample[]) =>
    samples.reduce((sum, { megabytes }) => sum + megabytes, 0) / samples.length;
  return mean(curve.slice(-quarter)) / mean(curve.slice(quarter, 2 * quarter));
}
