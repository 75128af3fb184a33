import { runService } from "@headwater/service";
import { readScalerConfig } from "./config.ts";
import { startScaler } from "./server.ts";

await runService("scaler", (telemetry) => startScaler(readScalerConfig(), telemetry));
