import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

/** Milliseconds between two looks. */
const pauseMs = 20;

/**
 * Waits for a condition, however fast or slow the machine is.
 *
 * @param what named in the failure
 * @param patienceMs only bounds a test that fails
 */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  patienceMs = 60_000,
): Promise<void> {
  const end = Date.now() + patienceMs;
  while (!(await condition())) {
    if (Date.now() > end) assert.fail(`waited ${patienceMs} ms in vain: ${what}`);
    await delay(pauseMs);
  }
}
