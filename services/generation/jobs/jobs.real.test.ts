import { openRecordStore, recordStoreSettings } from "@headwater/record-store";
import { readSettings } from "@headwater/settings";
import { realServer } from "@headwater/testing";
import { ownDatabases } from "../testing/own-database.ts";
import { jobsSuite } from "./jobs-suite.ts";

const url = realServer("POSTGRES_URL");
if (url !== undefined) {
  const makeDatabase = ownDatabases(url);
  jobsSuite("PostgreSQL", async () => {
    const values = readSettings(recordStoreSettings, await makeDatabase());
    return await openRecordStore(values, { folder: "/nowhere", schema: "generation" });
  });
}
