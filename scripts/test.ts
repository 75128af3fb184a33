/**
 * Runs the tests: `npm test` all of them, `npm test -- services/search` those below a folder, `npm test -- a.test.ts`
 * one file. Two files at a time at most: several load the model, and more would only wait for cores.
 */
import { spawn } from "node:child_process";
import { globSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";

const wanted = process.argv.slice(2);
const places = wanted.length > 0 ? wanted : ["libs", "services", "apps", "proto", "tests", "scripts"];
const files = places.flatMap((place) =>
  statSync(place).isDirectory()
    ? globSync(join(place, "**/*.test.ts"), { exclude: ["**/node_modules/**", "**/*.real.test.ts"] }).sort()
    : [place],
);

const child = spawn(
  process.execPath,
  [
    "--test",
    `--test-concurrency=${Math.min(2, availableParallelism())}`,
    // A file that has not ended by then has left something open: it fails and is named.
    "--test-timeout=240000",
    "--disable-warning=ExperimentalWarning",
    ...files,
  ],
  { stdio: "inherit" },
);
child.on("exit", (code, signal) => {
  process.exitCode = signal ? 1 : (code ?? 1);
});
