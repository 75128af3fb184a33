import { openPgliteRecordStore } from "@headwater/record-store/embedded";
import { runningTurnsSuite } from "./running-turns-suite.ts";

runningTurnsSuite("PGlite", () => openPgliteRecordStore({ folder: undefined, schema: "generation" }));
