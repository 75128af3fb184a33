import { after } from "node:test";
import type { RecordStore } from "@headwater/record-store";
import { openPgliteRecordStore } from "@headwater/record-store/embedded";
import { migrations } from "../migrations.ts";

/** Generation's records in memory; closed after the tests of the file. Called outside of hooks and tests. */
export async function openMemoryRecords(): Promise<RecordStore> {
  const records = await openPgliteRecordStore({ folder: undefined, schema: "generation" });
  after(() => records.close());
  await records.migrate(migrations);
  return records;
}
