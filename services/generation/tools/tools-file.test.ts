import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { HeadwaterError } from "@headwater/errors";
import { temporaryFolder } from "@headwater/testing";
import { readToolsFile } from "./tools-file.ts";

const folder = await temporaryFolder();

function read(text: string, env: Record<string, string> = {}) {
  const path = join(folder, "tools.yaml");
  writeFileSync(path, text);
  return readToolsFile(path, env);
}

function refused(text: string, words: RegExp): void {
  assert.throws(
    () => read(text),
    (thrown) =>
      thrown instanceof HeadwaterError &&
      thrown.reason === "HW_SETTINGS_INVALID" &&
      words.test(thrown.message),
  );
}

test("without a file, or with an empty one, there are no further tools and no sandbox", () => {
  const none = { openapi: [], mcp: [], sandbox: undefined };
  assert.deepEqual(readToolsFile(undefined, {}), none);
  assert.deepEqual(read(""), none);
  assert.deepEqual(read("sandbox: {memory_mb: 32}"), none);
});

test("secrets come from the environment and from files, and are known as such", () => {
  writeFileSync(join(folder, "token"), "from-file\n");
  const { openapi } = read(
    `openapi:
  - name: weather
    document: weather.yaml
    base_url: https://weather.example
    allow: [getForecast]
    headers:
      accept: application/json
      authorization: {env: WEATHER_TOKEN, prefix: "Bearer "}
      x-key: {file: token}`,
    { WEATHER_TOKEN: "from-env" },
  );
  assert.equal(openapi[0]?.document, join(folder, "weather.yaml"));
  assert.deepEqual(openapi[0]?.headers, {
    values: { accept: "application/json", authorization: "Bearer from-env", "x-key": "from-file" },
    secrets: ["from-env", "from-file"],
  });
});

test("a server's process gets what was named, and what finds programs", () => {
  const env = { PATH: "/bin", HEADWATER_OPENAI_API_KEY: "no", LOCALE: "de" };
  const { mcp } = read(
    "mcp: [{name: files, command: npx, inherit: [LOCALE], environment: {MODE: quiet}}]",
    env,
  );
  assert.equal(mcp[0]?.server.kind, "process");
  assert.deepEqual(mcp[0].server.environment.values, { PATH: "/bin", LOCALE: "de", MODE: "quiet" });
});

test("mistakes are told", () => {
  refused("openapi: [{name: Weather!}]", /openapi\.0\.name: use 1 to 24[\s\S]*openapi\.0\.document/);
  refused("mcp: [{name: a, command: x, url: 'http://x'}]", /give either command or url/);
  refused("mcp: [{name: a}]", /give either command or url/);
  refused("mcp: [{name: a, command: x}, {name: a, command: y}]", /two servers are named a/);
  refused("mcp: [{name: a, command: x, environment: {KEY: {env: NOT_SET}}}]", /NOT_SET is not set/);
  refused("sandbox: {enabled: yes please}", /sandbox\.enabled/);
  refused("unknown: true", /unknown/i);
  refused("a: [", /neither YAML nor JSON/);
});
