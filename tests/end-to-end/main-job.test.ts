import { temporaryFolder } from "@headwater/testing";
import { startTestStack } from "../support/test-stack.ts";
import { mainJobSuite } from "./main-job-suite.ts";

const folder = await temporaryFolder();

mainJobSuite("embedded", () => startTestStack(folder));
