import { readFileSync } from "node:fs";

/** Ticks a second in /proc; 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** Seconds that processes have had of the processors so far; NaN where there is no /proc. */
export function processorSeconds(pids: readonly number[]): number {
  return sumOf(pids, "stat", (stat) => {
    // After the name, which may hold spaces: state is the 3rd field of all, utime and stime are the 14th and 15th.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  });
}

/** Resident bytes of processes together; NaN where there is no /proc. */
export function residentBytes(pids: readonly number[]): number {
  return sumOf(pids, "status", (status) => Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024);
}

function sumOf(pids: readonly number[], file: string, read: (text: string) => number): number {
  try {
    return pids.reduce((sum, pid) => sum + read(readFileSync(`/proc/${pid}/${file}`, "utf8")), 0);
  } catch {
    return Number.NaN;
  }
}
