import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { percentile } from "@headwater/testing/percentile";

const run = promisify(execFile);
const intervalMs = 500;

/** Megabytes in one quarter of the time. */
export interface MemoryQuarter {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** Watches the resident memory of some processes together. */
export interface MemoryWatch {
  /** Ends the watch. */
  stop(): Promise<readonly MemoryQuarter[]>;
}

export function watchMemory(pids: readonly number[]): MemoryWatch {
  const ending = Promise.withResolvers<undefined>();
  let ended = false;
  const watched = (async () => {
    const samples: number[] = [];
    while (!ended) {
      samples.push(await residentMegabytes(pids));
      await Promise.race([ending.promise, new Promise((resolve) => setTimeout(resolve, intervalMs))]);
    }
    return samples;
  })();
  return {
    async stop() {
      ended = true;
      ending.resolve(undefined);
      return quarters(await watched);
    },
  };
}

async function residentMegabytes(pids: readonly number[]): Promise<number> {
  const { stdout } = await run("ps", ["-o", "rss=", "-p", pids.join(",")]);
  return stdout
    .trim()
    .split(/\s+/)
    .reduce((sum, kibibytes) => sum + (Number(kibibytes) * 1024) / 1e6, 0);
}

function quarters(samples: readonly number[]): MemoryQuarter[] {
  return [0, 1, 2, 3].map((quarter) => {
    const share = samples.slice((quarter * samples.length) / 4, ((quarter + 1) * samples.length) / 4);
    return { min: percentile(share, 0), median: percentile(share, 0.5), max: percentile(share, 1) };
  });
}
