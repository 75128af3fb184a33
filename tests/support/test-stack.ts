import { ownEnvironment } from "@headwater/cli/headwater-process";
import type { ServiceName, Stack } from "@headwater/cli/stack";
import { serviceNames, startStack } from "@headwater/cli/stack";

export type { ServiceName, Stack } from "@headwater/cli/stack";

/** The five services, or some of them, on the embedded default. */
export function startTestStack(
  dataFolder: string,
  options: { services?: readonly ServiceName[]; environment?: Record<string, string> } = {},
): Promise<Stack> {
  const environment = { ...ownEnvironment(dataFolder), ...options.environment };
  return startStack(options.services ?? serviceNames, environment, "silent");
}
