/**
 * Runs the suites that need real servers (`*.real.test.ts`) against whatever the environment names: KAFKA_BROKERS,
 * ELASTICSEARCH_URL, QDRANT_URL, REDIS_URL, POSTGRES_URL, S3_ENDPOINT. One file at a time: they share the servers, and
 * the fault suites stop them. `npm run test:real -- libs/cache` runs those below a folder.
 */
import { runTestFiles, testFiles } from "./testing/run-test-files.ts";

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
const files = testFiles(places, "**/*.real.test.ts");

const missing = variables.filter((variable) => !process.env[variable]);
for (const variable of missing)
  process.stderr.write(`test:real: LEFT OUT what needs ${variable}: it is not set\n`);

process.exitCode = await runTestFiles(files, { concurrency: 1, timeoutMs: 900_000 });
for (const variable of missing) process.stderr.write(`test:real: left out: ${variable}\n`);
