import { openPgliteRecordStore } from "@headwater/record-store/embedded";
import { jobsSuite } from "./jobs-suite.ts";

jobsSuite("PGlite", () => openPgliteRecordStore({ folder: undefined, schema: "generation" }));
