import { temporaryFolder } from "@headwater/testing";
import { startEmbedded } from "./installation.ts";
import { loadSuite, smallLimits } from "./load-suite.ts";

const folder = await temporaryFolder();

loadSuite(() => startEmbedded(folder, smallLimits));
