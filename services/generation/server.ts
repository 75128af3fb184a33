import { GenerationServiceDefinition } from "@headwater/proto/services/headwater/v1/generation";
import type { RpcServer } from "@headwater/rpc";
import { startRpcServer } from "@headwater/rpc";
import type { RunningService } from "@headwater/service";
import { serviceBehind } from "@headwater/service";
import type { Telemetry } from "@headwater/telemetry";
import type { GenerationConfig } from "./config.ts";
import { openParts } from "./parts.ts";

export { prepareGeneration } from "./prepare.ts";

/** @throws HeadwaterError where a part cannot be opened or the address is taken */
export async function startGeneration(
  config: GenerationConfig,
  telemetry: Telemetry,
): Promise<RunningService> {
  const parts = await openParts(config, telemetry);
  let server: RpcServer | undefined;
  try {
    server = await startRpcServer({
      address: config.listen,
      config: config.rpc,
      tls: parts.tls,
      definition: GenerationServiceDefinition,
      implementation: parts.handlers,
      further: parts.further,
      telemetry,
      checkReadiness: () => parts.checkReadiness(),
    });
    await parts.start(server.address);
    return serviceBehind(server, "generation", telemetry, () => parts.close());
  } catch (thrown) {
    await server?.close(0);
    await parts.close();
    throw thrown;
  }
}
