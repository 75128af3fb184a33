import assert from "node:assert/strict";
import { test } from "node:test";
import type { Installation } from "./installation.ts";
import { testLoad } from "./load-test.ts";

/** So few may run and wait that any machine is overloaded by what comes. */
export const smallLimits = {
  HEADWATER_SEARCH_MAX_CONCURRENT: "2",
  HEADWATER_SEARCH_MAX_QUEUED: "8",
  HEADWATER_SEARCH_MAX_WAIT_MS: "600000",
};

/**
 * A short run of the load test: that nothing fails, and that refusals are polite. How fast things are is for
 * `npm run test:load` to tell.
 */
export function loadSuite(start: () => Promise<Installation>): void {
  test("under load all are answered, beyond it some are refused politely, and afterwards it is as before", async (t) => {
    const installation = await start();
    try {
      const { calm, steady, overload, after } = await testLoad(installation, {
        ...{ documents: 40, producedPerSecond: 2, callers: 8, overloadFactor: 50 },
        ...{ steadySeconds: 3, overloadSeconds: 3, calmSeconds: 3 },
        onProgress: (line) => t.diagnostic(line),
      });
      for (const { outcomes } of [calm, steady])
        assert.deepEqual(
          Object.keys(outcomes).filter((outcome) => !isAnswer(outcome)),
          [],
        );
      assert(steady.searches >= 8);
      const outcomes = Object.keys(overload.outcomes).filter((outcome) => !isAnswer(outcome));
      assert.deepEqual(outcomes, ["refused"]);
      assert(overload.answeredPerSecond > 0);
      assert(Object.keys(after.outcomes).every((outcome) => isAnswer(outcome) || outcome === "refused"));
    } finally {
      await installation.stop();
    }
  });
}

/** On a slow machine a stage may not make its time-out; that is told, and no failure. */
function isAnswer(outcome: string): boolean {
  return outcome === "ok" || outcome === "degraded";
}
