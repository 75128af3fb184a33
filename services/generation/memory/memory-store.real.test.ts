import { randomUUID } from "node:crypto";
import { after } from "node:test";
import { openRecordStore, recordStoreSettings } from "@headwater/record-store";
import { readSettings } from "@headwater/settings";
import { realServer } from "@headwater/testing";
import { migrations } from "../migrations.ts";
import { memoryStoreConformance } from "./memory-store-conformance.ts";

const url = realServer("POSTGRES_URL");
if (url !== undefined) {
  const schema = `test_${randomUUID().replaceAll("-", "")}`;
  const values = readSettings(recordStoreSettings, { HEADWATER_POSTGRES_URL: url });
  const records = await openRecordStore(values, { folder: "/nowhere", schema });
  after(async () => {
    await records.query(`DROP SCHEMA ${schema} CASCADE`);
    await records.close();
  });
  await records.migrate(migrations);
  memoryStoreConformance("PostgreSQL", async () => records);
}
