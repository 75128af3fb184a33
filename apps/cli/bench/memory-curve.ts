/** A point of a process's memory over time. */
export interface MemorySample {
  readonly seconds: number;
  /** Resident set. */
  readonly megabytes: number;
}

/** @param metrics host:port of the process's metrics */
export async function residentMegabytes(metrics: string): Promise<number> {
  return Math.round((await processMetric(metrics, "process_resident_memory_bytes")) / 1e6);
}

/** Processor time so far: it tells what work costs also where others use the machine. */
export async function processorSeconds(metrics: string): Promise<number> {
  return await processMetric(metrics, "process_cpu_seconds_total");
}

async function processMetric(metrics: string, name: string): Promise<number> {
  const page = await (await fetch(`http://${metrics}/metrics`)).text();
  const value = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "m").exec(page)?.[1];
  if (value === undefined) throw new Error(`the server does not report ${name}`);
  return Number(value);
}

/** Mean of the last quarter of a curve against the mean of its second quarter. */
export function growthOf(curve: readonly MemorySample[]): number {
  const quarter = Math.floor(curve.length / 4);
  const mean = (samples: readonly MemorySample[]) =>
    samples.reduce((sum, { megabytes }) => sum + megabytes, 0) / samples.length;
  return mean(curve.slice(-quarter)) / mean(curve.slice(quarter, 2 * quarter));
}
