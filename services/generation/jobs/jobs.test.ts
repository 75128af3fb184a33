import { openPgliteRecordStore } from "@headwater/record-store";
import { jobsSuite } from "./jobs-suite.ts";

jobsSuite("PGlite", () => openPgliteRecordStore({ folder: undefined, schema: "generation" }));
