/**
 * Runs the tests: `npm test` all of them, `npm test -- services/search` those below a folder, `npm test -- a.test.ts`
 * one file. Two files at a time at most: several load the model, and more would only wait for cores.
 */
import { availableParallelism } from "node:os";
import { runTestFiles, testFiles } from "./testing/run-test-files.ts";

const wanted = process.argv.slice(2);
const places = wanted.length > 0 ? wanted : ["libs", "services", "apps", "proto", "tests", "scripts"];
const files = testFiles(places, "**/*.test.ts", ["**/*.real.test.ts"]);
process.exitCode = await runTestFiles(files, {
  concurrency: Math.min(2, availableParallelism()),
  timeoutMs: 240_000,
});
