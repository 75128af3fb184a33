import { temporaryFolder } from "@headwater/testing";
import { startTestStack } from "../support/test-stack.ts";
import { smokeTestSuite } from "./smoke-test-suite.ts";

smokeTestSuite(/^written to the gateway$/, async (signIn) => {
  const stack = await startTestStack(await temporaryFolder(), { environment: signIn });
  return { stack, environment: {}, stop: () => stack.close(5000) };
});
