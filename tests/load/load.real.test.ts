import { test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import { missingServers } from "../support/real-servers.ts";
import { startOnRealServers } from "./installation.ts";
import { loadSuite, smallLimits } from "./load-suite.ts";

const missing = missingServers();
if (missing.length > 0) test(`LEFT OUT: ${missing.join(", ")} not set`, { skip: true }, () => {});
else {
  const folder = await temporaryFolder();
  loadSuite(() => startOnRealServers(folder, smallLimits));
}
