import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import { missingServers, useRealServers } from "../support/real-servers.ts";
import { runHeadwater } from "../support/run-headwater.ts";
import { startTestStack } from "../support/test-stack.ts";
import { smokeTestSuite } from "./smoke-test-suite.ts";

const missing = missingServers();
if (missing.length > 0) test(`LEFT OUT: ${missing.join(", ")} not set`, { skip: true }, () => {});
else {
  smokeTestSuite(/^written to Kafka, topic test-/, async (signIn) => {
    const servers = await useRealServers();
    const stack = await startTestStack(await temporaryFolder(), {
      environment: { ...servers.environment, ...signIn },
    });
    return {
      ...{ stack, environment: servers.environment },
      async stop() {
        await stack.close(5000);
        await servers.stop();
      },
    };
  });

  test("an event that nobody takes in is told as such, after the time that was given", async () => {
    const servers = await useRealServers();
    const stack = await startTestStack(await temporaryFolder(), { environment: servers.environment });
    try {
      const { code, stdout, stderr } = await runHeadwater(["smoke-test", "--timeout", "1"], {
        environment: {
          ...servers.environment,
          HEADWATER_SERVER: `http://${stack.address("gateway")}`,
          // Of another installation on the same brokers.
          HEADWATER_KAFKA_TOPIC:
            servers.environment["HEADWATER_KAFKA_DEAD_LETTER_TOPIC"] ??
            `${servers.environment["HEADWATER_KAFKA_TOPIC"]}.dead-letters`,
        },
      });
      assert.equal(code, 1);
      assert.match(stdout, /written to Kafka/);
      assert.match(stderr, /The document is not indexed within 1 s\. .*HW_/);

      const down = await runHeadwater(["smoke-test"], {
        environment: { HEADWATER_KAFKA_BROKERS: "127.0.0.1:9" },
      });
      assert.equal(down.code, 3);
      assert.match(down.stderr, /HW_KAFKA_UNAVAILABLE/);
    } finally {
      await stack.close(5000);
      await servers.stop();
    }
  });
}
