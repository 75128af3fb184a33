import { runService } from "@headwater/service";
import { readGatewayConfig } from "./config.ts";
import { startGateway } from "./server.ts";

await runService("gateway", (telemetry) => startGateway(readGatewayConfig(), telemetry));
