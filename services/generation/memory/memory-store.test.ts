import { openMemoryRecords } from "../testing/memory-records.ts";
import { memoryStoreConformance } from "./memory-store-conformance.ts";

const records = await openMemoryRecords();
memoryStoreConformance("PGlite", async () => records);
