import assert from "node:assert/strict";
import { test } from "node:test";
import { missingServers } from "../support/real-servers.ts";
import { faultCases, quickCases } from "./cases.ts";
import { startCommands } from "./installation.ts";
import { runFaultCase } from "./run-fault-case.ts";
import { leastDocuments } from "./workload.ts";

/*
 * One run of each case that needs no command, and of a kill of Kafka where KAFKA_START names one. All cases, many times:
 * `npm run test:faults`.
 */

const missing = missingServers();
const { start } = startCommands.kafka;
const chosen = faultCases.filter(
  ({ name }) => quickCases.includes(name) || (name === "kafka" && process.env[start]),
);
if (missing.length > 0) test(`LEFT OUT: ${missing.join(", ")} not set`, { skip: true }, () => {});
else {
  if (!process.env[start]) test(`LEFT OUT: ${start} is not set`, { skip: true }, () => {});
  for (const faultCase of chosen) {
    test(`${faultCase.fault}: every document once, in its latest version, in both indexes`, async (t) => {
      const seed = Date.now() % 1_000_000;
      const { failures } = await runFaultCase(faultCase, {
        ...{ runs: 1, documents: 2 * leastDocuments, seed },
        onProgress: (message) => t.diagnostic(message),
      });
      assert.deepEqual(failures, []);
    });
  }
}
