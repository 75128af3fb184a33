import assert from "node:assert/strict";
import { test } from "node:test";
import { failureOf, startFixture } from "../testing/fixture.ts";

const fixture = await startFixture();

interface Agent {
  id: string;
  version: number;
  tools: { name: string; needs_approval: boolean }[];
  limits: { max_steps: number; max_cost: number };
}

test("an agent is made, read, replaced and deleted", async () => {
  const body = {
    name: "librarian",
    preamble: "You know books.",
    temperature: 0,
    top_k: 5,
    tools: [{ name: "search" }, { name: "calculator", needs_approval: true }],
    limits: { max_steps: 3, max_cost: 0.5 },
  };
  const response = await fixture.send("POST", "/api/v1/agents", body);
  assert.equal(response.status, 201);
  const made = (await response.json()) as Agent;
  assert.deepEqual(made.tools, [
    { name: "search", needs_approval: false },
    { name: "calculator", needs_approval: true },
  ]);
  assert.deepEqual([made.limits.max_steps, made.limits.max_cost], [3, 0.5]);
  const path = `/api/v1/agents/${made.id}`;
  assert.deepEqual(await (await fetch(fixture.url(path))).json(), made);
  const replaced = await fixture.send("PUT", path, { name: "librarian", version: made.version });
  const { version, tools } = (await replaced.json()) as Agent;
  assert.deepEqual([version, tools], [2, []]);
  const stale = await failureOf(await fixture.send("PUT", path, { name: "librarian", version: 1 }));
  assert.deepEqual([stale.status, stale.code], [409, "ABORTED"]);
  const { agents } = (await (await fetch(fixture.url("/api/v1/agents"))).json()) as { agents: Agent[] };
  assert.deepEqual(
    agents.map(({ id }) => id),
    [made.id],
  );
  assert.equal((await fixture.send("DELETE", path)).status, 200);
  assert.equal((await failureOf(await fetch(fixture.url(path)))).status, 404);
});

test("the tools that agents may have are told, and what does not answer", async () => {
  const { tools, unavailable } = (await (await fetch(fixture.url("/api/v1/tools"))).json()) as {
    tools: { name: string; source: string; needs_approval: boolean }[];
    unavailable: string[];
  };
  assert.deepEqual(
    [tools[0]?.name, tools[0]?.source, tools[0]?.needs_approval, unavailable],
    ["calculator", "built-in", true, ["weather: does not answer"]],
  );
});

test("an agent that cannot be is refused with the names of what is wrong", async () => {
  const failure = await failureOf(
    await fixture.send("POST", "/api/v1/agents", { name: "", top_k: 51, limits: { max_steps: 0 }, tool: 1 }),
  );
  assert.equal(failure.status, 400);
  for (const name of ["name", "top_k", "limits.max_steps", "tool"])
    assert(failure.message.includes(name), failure.message);
});
