import { test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import type { RealServers } from "../support/real-servers.ts";
import { missingServers, useRealServers } from "../support/real-servers.ts";
import { startTestStack } from "../support/test-stack.ts";
import { mainJobSuite } from "./main-job-suite.ts";

const missing = missingServers();
if (missing.length > 0) test(`LEFT OUT: ${missing.join(", ")} not set`, { skip: true }, () => {});
else await suite();

async function suite(): Promise<void> {
  const folder = await temporaryFolder();
  const servers: RealServers = await useRealServers();
  mainJobSuite(servers.name, async () => {
    const stack = await startTestStack(folder, { environment: servers.environment });
    return {
      ...stack,
      async close(graceMs) {
        await stack.close(graceMs);
        await servers.stop();
      },
    };
  });
}
