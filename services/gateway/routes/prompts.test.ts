import assert from "node:assert/strict";
import { test } from "node:test";
import { failureOf, startFixture } from "../testing/fixture.ts";

const fixture = await startFixture();

async function sent(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const response = await fixture.send(method, path, body);
  assert(response.ok, `${method} ${path} ${response.status}`);
  return (await response.json()) as Record<string, unknown>;
}

test("a prompt has versions, labels that split and roll back, a diff, and is rendered", async () => {
  const first = await sent("POST", "/api/v1/prompts/greeting/versions", {
    text: "Hello {{name}}",
    note: "new",
  });
  assert.deepEqual([first["version"], first["variables"], first["note"]], [1, ["name"], "new"]);
  await sent("POST", "/api/v1/prompts/greeting/versions", { text: "Hi {{name}}" });
  const { versions } = await sent("GET", "/api/v1/prompts/greeting/versions");
  assert.equal((versions as unknown[]).length, 2);
  const shares = [
    { version: 1, weight: 1 },
    { version: 2, weight: 3 },
  ];
  const labelled = await sent("PUT", "/api/v1/prompts/greeting/labels/production", { shares });
  assert.deepEqual(labelled["labels"], [{ label: "production", shares }]);
  const back = await sent("POST", "/api/v1/prompts/greeting/labels/production/rollback");
  assert.deepEqual(back["labels"], [{ label: "production", shares: [{ version: 1, weight: 1 }] }]);
  const { diff } = await sent("GET", "/api/v1/prompts/greeting/diff?from=1&to=2");
  assert.equal(diff, "-Hello {{name}}\n+Hi {{name}}\n");
  const rendered = await sent("POST", "/api/v1/prompts/render", {
    prompt: "greeting",
    variables: { name: "Ada" },
  });
  assert.deepEqual(rendered, { text: "Hi Ada", version: 2 });
  assert.deepEqual((await sent("GET", "/api/v1/prompts"))["prompts"], [
    await sent("GET", "/api/v1/prompts/greeting"),
  ]);
  await sent("DELETE", "/api/v1/prompts/greeting");
  const gone = await failureOf(await fixture.send("GET", "/api/v1/prompts/greeting"));
  assert.deepEqual([gone.status, gone.reason], [404, "HW_PROMPT_NOT_FOUND"]);
});

test("names, labels and shares that cannot be are refused", async () => {
  const cases: [string, string, unknown][] = [
    ["POST", "/api/v1/prompts/Greeting/versions", { text: "x" }],
    ["POST", "/api/v1/prompts/greeting/versions", { text: "" }],
    ["PUT", "/api/v1/prompts/greeting/labels/production", { shares: [] }],
    ["PUT", "/api/v1/prompts/greeting/labels/production", { shares: [{ version: 1, weight: 0 }] }],
    ["PUT", "/api/v1/prompts/greeting/labels/a%20b", { shares: [{ version: 1, weight: 1 }] }],
    ["GET", "/api/v1/prompts/greeting/diff?from=1", undefined],
  ];
  for (const [method, path, body] of cases)
    assert.equal((await failureOf(await fixture.send(method, path, body))).status, 400, path);
});
