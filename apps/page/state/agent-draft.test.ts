import assert from "node:assert/strict";
import { test } from "node:test";
import type { Agent } from "@headwater/client";
import { agentOf, draftOf, emptyDraft } from "./agent-draft.ts";

test("an agent survives the form, and what is left empty keeps its default", () => {
  const agent: Agent = {
    id: "a",
    name: "Gauge",
    description: "Reads gauges",
    model: "m",
    preamble: "Be brief.",
    temperature: 0,
    topK: 0,
    tools: [
      { name: "search", needsApproval: false },
      { name: "mcp*", needsApproval: true },
    ],
    limits: { maxSteps: 4, maxTokens: 0, maxSeconds: 0, maxCost: 0.25 },
    version: 3,
    createdTime: undefined,
    updatedTime: undefined,
  };
  const { id: _, version: __, createdTime: ___, updatedTime: ____, ...made } = agent;
  assert.deepEqual(agentOf(draftOf(agent)), made);
  assert.equal(draftOf(agent).temperature, "0");
  assert.equal(draftOf(agent).topK, "");
  const empty = agentOf({ ...emptyDraft, name: "  New " });
  assert.equal(empty.name, "New");
  assert(!("temperature" in empty));
});
