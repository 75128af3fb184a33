/**
 * Loaded before each test file. The runner waits for a process for as long as it lives, so a file that left something
 * open would hold up all of CI: it is ended and fails.
 */
import { after } from "node:test";

/** Milliseconds after the last test. What a file closes in its own hooks may take its time on a busy machine. */
const patienceMs = 120_000;

// The runner's own process loads this too, and has no tests.
if (process.env["NODE_TEST_CONTEXT"]) {
  after(() => {
    setTimeout(() => {
      process.stderr.write(
        `left open by ${process.argv[1]}: ${process.getActiveResourcesInfo().join(", ")}\n`,
      );
      process.exit(1);
    }, patienceMs).unref();
  });
}
