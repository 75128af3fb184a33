import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import { runHeadwater } from "../support/run-headwater.ts";
import type { Stack } from "../support/test-stack.ts";

/**
 * `headwater smoke-test` against an installation with sign-in.
 *
 * @param way by which the document comes, as the command names it
 * @param start is given the settings of sign-in; `environment` is what the command needs beside server and key
 */
export function smokeTestSuite(
  way: RegExp,
  start: (signIn: Record<string, string>) => Promise<{
    readonly stack: Stack;
    readonly environment: Record<string, string>;
    stop(): Promise<void>;
  }>,
): void {
  let running: Awaited<ReturnType<typeof start>>;
  let keys: string;
  const run = (words: string[], environment: Record<string, string> = {}) =>
    runHeadwater(["smoke-test", ...words], {
      environment: {
        ...running.environment,
        HEADWATER_SERVER: `http://${running.stack.address("gateway")}`,
        HEADWATER_API_KEY_FILE: keys,
        HEADWATER_TENANT: "acme",
        ...environment,
      },
    });

  before(async () => {
    keys = join(await temporaryFolder(), "api-keys");
    await writeFile(keys, "# keys\nkey-of-acme acme\nkey-of-globex globex\n");
    running = await start({ HEADWATER_GATEWAY_API_KEYS_FILE: keys });
  });
  after(() => running.stop());

  test("the smoke test tells each step with its milliseconds, and leaves nothing behind", async () => {
    const { code, stdout, stderr } = await run(["--json"]);
    assert.equal(code, 0, stdout + stderr);
    const told = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { step?: string; milliseconds: number; passed?: boolean });
    assert.match(told[0]?.step ?? "", way);
    assert.deepEqual(
      told.slice(1).map(({ step, passed }) => step ?? passed),
      ["indexed", "found by search", "answered, with its citation", "deleted by a tombstone", "gone", true],
    );
    for (const { milliseconds } of told) assert(milliseconds >= 0);
    const left = await runHeadwater(["documents", "--prefix", "headwater-smoke-test/", "--json"], {
      environment: {
        HEADWATER_SERVER: `http://${running.stack.address("gateway")}`,
        HEADWATER_API_KEY: "key-of-acme",
        HEADWATER_TENANT: "acme",
      },
    });
    assert.deepEqual([left.code, left.stdout], [0, ""], left.stderr);
  });

  test("what fails is told with the step before it, and the exit code says so", async () => {
    const unknownModel = await run(["--model", "oracle"]);
    assert.equal(unknownModel.code, 2, unknownModel.stderr);
    assert.match(unknownModel.stdout, /found by search: \d+ ms\n$/);
    assert.match(unknownModel.stderr, /HW_MODEL_UNKNOWN/);

    const unknown = join(await temporaryFolder(), "api-key");
    await writeFile(unknown, "key-of-nobody\n");
    const stranger = await run([], { HEADWATER_API_KEY_FILE: unknown });
    assert.equal(stranger.code, 1, stranger.stdout);
    assert.match(stranger.stderr, /HW_/);

    const missing = await run([], { HEADWATER_API_KEY_FILE: "/nowhere/api-key" });
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /HEADWATER_API_KEY_FILE: the file cannot be read/);
  });
}
