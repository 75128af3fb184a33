/** A point of a process's memory over time. */
export interface MemorySample {
  readonly seconds: number;
  /** Resident set. */
  readonly megabytes: number;
}

/** @param metrics host:port of the process's metrics */
export async function residentMegabytes(metrics: string): Promise<number> {
  const page = await (await fetch(`http://${metrics}/metrics`)).text();
  const bytes = /^process_resident_memory_bytes(?:\{[^}]*\})? (\S+)$/m.exec(page)?.[1];
  if (bytes === undefined) throw new Error("the server does not report process_resident_memory_bytes");
  return Math.round(Number(bytes) / 1e6);
}

/** Mean of each quarter of a curve. */
export function quartersOf(curve: readonly MemorySample[]): number[] {
  return [0, 1, 2, 3].map((quarter) => {
    const samples = curve.slice((quarter * curve.length) / 4, ((quarter + 1) * curve.length) / 4);
    return samples.reduce((sum, { megabytes }) => sum + megabytes, 0) / samples.length;
  });
}

/** Mean of the last quarter of a curve against the mean of its second quarter. */
export function growthOf(curve: readonly MemorySample[]): number {
  const [, second = Number.NaN, , last = Number.NaN] = quartersOf(curve);
  return last / second;
}
