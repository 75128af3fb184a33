import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, statSync } from "node:fs";
import { join } from "node:path";

export interface TestRun {
  /** Files at a time. */
  readonly concurrency: number;
  /** Of a single test. */
  readonly timeoutMs: number;
}

/** Below folders those that match; files as they are named. */
export function testFiles(
  places: readonly string[],
  pattern: string,
  except: readonly string[] = [],
): string[] {
  const exclude = ["**/node_modules/**", ...except];
  return places.flatMap((place) =>
    statSync(place).isDirectory() ? globSync(join(place, pattern), { exclude }).sort() : [place],
  );
}

/** @returns the exit code: 0 where all passed */
export async function runTestFiles(files: readonly string[], run: TestRun): Promise<number> {
  const runner = [
    "--test",
    `--import=${import.meta.resolve("./leak-watch.ts")}`,
    `--test-concurrency=${run.concurrency}`,
    `--test-timeout=${run.timeoutMs}`,
    "--disable-warning=ExperimentalWarning",
  ];
  const child = spawn(process.execPath, [...runner, ...files], { stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
}
