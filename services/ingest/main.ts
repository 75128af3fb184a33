import { runService } from "@headwater/service";
import { readIngestConfig } from "./config.ts";
import { startIngest } from "./server.ts";

await runService("ingest", (telemetry) => startIngest(readIngestConfig(), telemetry));
