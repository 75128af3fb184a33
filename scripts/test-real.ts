/**
 * Runs the suites that need real servers (`*.real.test.ts`) against whatever the environment names: KAFKA_BROKERS,
 * ELASTICSEARCH_URL, QDRANT_URL, REDIS_URL, POSTGRES_URL, S3_ENDPOINT. One file at a time: they share the servers, and
 * the fault suites stop them. `npm run test:real -- libs/cache` runs those below a folder.
 */
import { spawn } from "node:child_process";
import { globSync, statSync } from "node:fs";
import { join } from "node:path";

const variables = [
  "KAFKA_BROKERS",
  "ELASTICSEARCH_URL",
  "QDRANT_URL",
  "REDIS_URL",
  "POSTGRES_URL",
  "S3_ENDPOINT",
];
const wanted = process.argv.slice(2);
const places = wanted.length > 0 ? wanted : ["libs", "services", "apps", "tests"];
const files = places.flatMap((place) =>
  statSync(place).isDirectory()
    ? globSync(join(place, "**/*.real.test.ts"), { exclude: ["**/node_modules/**"] }).sort()
    : [place],
);

const missing = variables.filter((variable) => !process.env[variable]);
for (const variable of missing)
  process.stderr.write(`test:real: LEFT OUT what needs ${variable}: it is not set\n`);

const child = spawn(
  process.execPath,
  [
    "--test",
    "--test-concurrency=1",
    "--test-timeout=900000",
    "--disable-warning=ExperimentalWarning",
    ...files,
  ],
  { stdio: "inherit" },
);
child.on("exit", (code, signal) => {
  for (const variable of missing) process.stderr.write(`test:real: left out: ${variable}\n`);
  process.exitCode = signal ? 1 : (code ?? 1);
});
