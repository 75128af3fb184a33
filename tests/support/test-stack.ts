import type { ServiceName, Stack } from "@headwater/cli/stack";
import { serviceNames, startStack } from "@headwater/cli/stack";

export type { ServiceName, Stack } from "@headwater/cli/stack";

/** Listens on ports that the system chooses, and keeps its data in a folder of the test's own. */
export function testEnvironment(dataFolder: string): Record<string, string> {
  const anyPort = "127.0.0.1:0";
  return {
    HEADWATER_DATA_DIR: dataFolder,
    HEADWATER_INGEST_LISTEN: anyPort,
    HEADWATER_EMBEDDING_LISTEN: anyPort,
    HEADWATER_SEARCH_LISTEN: anyPort,
    HEADWATER_GENERATION_LISTEN: anyPort,
    HEADWATER_GATEWAY_LISTEN: anyPort,
  };
}

/** The five services, or some of them, on the embedded default. */
export function startTestStack(
  dataFolder: string,
  options: { services?: readonly ServiceName[]; environment?: Record<string, string> } = {},
): Promise<Stack> {
  const environment = { ...testEnvironment(dataFolder), ...options.environment };
  return startStack(options.services ?? serviceNames, environment, "silent");
}
