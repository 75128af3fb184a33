import { runService } from "@headwater/service";
import { readSearchConfig } from "./config.ts";
import { startSearch } from "./server.ts";

await runService("search", (telemetry) => startSearch(readSearchConfig(), telemetry));
