import { runService } from "@headwater/service";
import { readGenerationConfig } from "./config.ts";
import { startGeneration } from "./server.ts";

await runService("generation", (telemetry) => startGeneration(readGenerationConfig(), telemetry));
