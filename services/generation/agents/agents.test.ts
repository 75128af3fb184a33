import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { HeadwaterError } from "@headwater/errors";
import type { ScriptedModelServer } from "@headwater/language-model/scripted-model-server";
import { startScriptedModelServer } from "@headwater/language-model/scripted-model-server";
import type { Agent, DeepPartial } from "@headwater/proto/services/headwater/v1/agent";
import { AgentServiceDefinition } from "@headwater/proto/services/headwater/v1/agent";
import type { ChatResponse } from "@headwater/proto/services/headwater/v1/conversation";
import {
  ConversationServiceDefinition,
  TurnEndReason,
} from "@headwater/proto/services/headwater/v1/conversation";
import type { RpcClient } from "@headwater/rpc";
import { createRpcClient } from "@headwater/rpc";
import type { RunningService } from "@headwater/service";
import { silentTelemetry } from "@headwater/telemetry";
import { temporaryFolder } from "@headwater/testing";
import { readGenerationConfig } from "../config.ts";
import { startGeneration } from "../server.ts";
import type { SearchDouble } from "../testing/search-double.ts";
import { passage, startSearchDouble } from "../testing/search-double.ts";

let search: SearchDouble;
let models: ScriptedModelServer;
let service: RunningService;
let agents: RpcClient<AgentServiceDefinition>;
let conversations: RpcClient<ConversationServiceDefinition>;

before(async () => {
  search = await startSearchDouble();
  models = await startScriptedModelServer();
  const config = readGenerationConfig({
    HEADWATER_GENERATION_LISTEN: "127.0.0.1:0",
    HEADWATER_DATA_DIR: await temporaryFolder(),
    HEADWATER_SEARCH_ADDRESS: search.address,
    // Nothing listens there: words alone decide.
    HEADWATER_EMBEDDING_ADDRESS: "127.0.0.1:1",
    HEADWATER_GENERATION_MODEL: "scripted",
    HEADWATER_OPENAI_BASE_URL: models.baseUrl,
    HEADWATER_OPENAI_MODEL: "scripted",
    HEADWATER_GENERATION_APPROVAL_TIMEOUT_MS: "1000",
  });
  service = await startGeneration(config, silentTelemetry("generation"));
  agents = createRpcClient(AgentServiceDefinition, service.address);
  conversations = createRpcClient(ConversationServiceDefinition, service.address);
});
after(async () => {
  agents.close();
  conversations.close();
  await service.close(500);
  await models.close();
  await search.close();
});

async function create(agent: DeepPartial<Agent>, tenant = "default"): Promise<Agent> {
  const { agent: created } = await agents.call.createAgent({ tenant, agent });
  assert(created);
  return created;
}

const reason = (wanted: string) => (thrown: unknown) => {
  assert(thrown instanceof HeadwaterError, String(thrown));
  assert.equal(thrown.reason, wanted);
  return true;
};

test("an agent is kept with its defaults, changed by version, and deleted", async () => {
  const created = await create({ name: "kept", tools: [{ name: "search" }], temperature: 0.5 }, "keepers");
  assert.deepEqual(
    [created.version, created.topK, created.temperature, created.limits],
    [1, 8, 0.5, { maxSteps: 8, maxTokens: 100_000, maxSeconds: 120, maxCost: 0 }],
  );
  const { id } = created;
  const { agent: read } = await agents.call.getAgent({ tenant: "keepers", id });
  assert.deepEqual(read, created);
  const change = { id, name: "renamed", version: 1, preamble: "Be brief." };
  const { agent: changed } = await agents.call.updateAgent({ tenant: "keepers", agent: change });
  assert.deepEqual(
    [changed?.version, changed?.name, changed?.tools, changed?.temperature],
    [2, "renamed", [], undefined],
  );
  await assert.rejects(
    agents.call.updateAgent({ tenant: "keepers", agent: change }),
    reason("HW_AGENT_CHANGED"),
  );
  const whatever = { ...change, version: 0 };
  assert.equal((await agents.call.updateAgent({ tenant: "keepers", agent: whatever })).agent?.version, 3);

  for (const tenant of ["default", "others"])
    await assert.rejects(agents.call.getAgent({ tenant, id }), reason("HW_AGENT_NOT_FOUND"));
  await agents.call.deleteAgent({ tenant: "others", id });
  assert((await agents.call.getAgent({ tenant: "keepers", id })).agent);
  await agents.call.deleteAgent({ tenant: "keepers", id });
  await agents.call.deleteAgent({ tenant: "keepers", id });
  await assert.rejects(agents.call.getAgent({ tenant: "keepers", id }), reason("HW_AGENT_NOT_FOUND"));
});

test("names are unique within a tenant, and agents are listed by them in pages", async () => {
  for (const name of ["c", "a", "Z", "b"]) await create({ name }, "pages");
  await assert.rejects(create({ name: "a" }, "pages"), reason("HW_AGENT_EXISTS"));
  await create({ name: "a" }, "other pages".replace(" ", "-"));
  const names: string[] = [];
  let pageToken = "";
  do {
    const page = await agents.call.listAgents({ tenant: "pages", pageSize: 3, pageToken });
    names.push(...page.agents.map(({ name }) => name));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  assert.deepEqual(names, ["Z", "a", "b", "c"]);
  const { nextPageToken } = await agents.call.listAgents({ tenant: "pages", pageSize: 1 });
  const elsewhere = agents.call.listAgents({ tenant: "default", pageToken: nextPageToken });
  await assert.rejects(elsewhere, reason("HW_PAGE_TOKEN_INVALID"));
});

test("what an agent cannot be is refused with a reason", async () => {
  for (const [agent, wanted] of [
    [{ name: "" }, "HW_TEXT_INVALID"],
    [{ name: "x".repeat(129) }, "HW_TEXT_INVALID"],
    [{ name: "x", preamble: "x".repeat(16_385) }, "HW_TEXT_INVALID"],
    [{ name: "x", temperature: 3 }, "HW_TEMPERATURE_INVALID"],
    [{ name: "x", topK: 51 }, "HW_LIMIT_INVALID"],
    [{ name: "x", limits: { maxSteps: 65 } }, "HW_LIMIT_INVALID"],
    [{ name: "x", limits: { maxCost: -1 } }, "HW_LIMIT_INVALID"],
    [{ name: "x", model: "nobody" }, "HW_MODEL_UNKNOWN"],
    [{ name: "x", tools: [{ name: "nothing" }] }, "HW_TOOL_UNKNOWN"],
    [{ name: "x", tools: [{ name: "a b" }] }, "HW_AGENT_TOOLS_INVALID"],
    [{ name: "x", tools: [{ name: "time" }, { name: "time" }] }, "HW_AGENT_TOOLS_INVALID"],
    [{ name: "x", model: "extractive", tools: [{ name: "time" }] }, "HW_AGENT_MODEL_WITHOUT_TOOLS"],
  ] as const) {
    await assert.rejects(
      agents.call.createAgent({ agent: { ...agent, tools: [...("tools" in agent ? agent.tools : [])] } }),
      reason(wanted),
    );
  }
  await assert.rejects(agents.call.createAgent({}), reason("HW_AGENT_MISSING"));
  await assert.rejects(agents.call.getAgent({ id: "x" }), reason("HW_ID_INVALID"));
  await assert.rejects(agents.call.getAgent({ tenant: "a/b", id: "x" }), reason("HW_TENANT_INVALID"));
});

/** Searches once, then answers. */
function script(): void {
  models.script = async (exchange) => {
    const results = exchange.request.body.messages.filter(({ role }) => role === "tool");
    if (results.length === 0) {
      await exchange.toolCall({ id: "call_1", name: "search", arguments: '{"query": "pumps"}' });
      return await exchange.finish("tool_calls");
    }
    await exchange.text(
      `Final Answer: ${results[0]?.content.includes("cubic metres") ? "It lifts 40 [1]." : "Not known."}`,
    );
    await exchange.finish("stop");
  };
}

let agentsAnswered = 0;
let callsRun = 0;
for (const [decision, decide, text] of [
  ["granted", true, "It lifts 40 [1]."],
  ["refused", false, "Not known."],
  ["not decided in time", undefined, "Not known."],
] as const) {
  test(`a call whose approval is ${decision}: ${text}`, async () => {
    search.passages = [passage("pumps", "The pump lifts 40 cubic metres.")];
    search.requests.length = 0;
    script();
    const agent = await create({ name: decision, tools: [{ name: "search", needsApproval: true }] });
    const events: ChatResponse[] = [];
    let turnId = "";
    for await (const message of conversations.call.chat({ message: "How much?", agentId: agent.id })) {
      events.push(message);
      const { event } = message;
      if (event?.$case === "started") turnId = event.value.turnId;
      if (event?.$case !== "approval") continue;
      assert.equal(search.requests.length, 0, "nothing runs before it was decided on");
      assert((event.value.deadline?.getTime() ?? 0) > Date.now() - 60_000);
      const { callId } = event.value;
      if (decide !== undefined) await conversations.call.decideToolCall({ turnId, callId, approved: decide });
    }
    const said = events.flatMap(({ event }) => (event?.$case === "text" ? [event.value.text] : [])).join("");
    assert.deepEqual([said, search.requests.length], [text, decide ? 1 : 0]);
    const end = events.at(-1)?.event;
    assert(end?.$case === "end" && end.value.reason === TurnEndReason.COMPLETE);
    agentsAnswered += 1;
    if (decide) callsRun += 1;
    const page = await service.metrics.metrics();
    for (const [series, value] of [
      [`answers_total{model="scripted",reason="complete",service="generation"}`, agentsAnswered],
      [`tool_calls_total{model="scripted",outcome="ok",service="generation"}`, callsRun],
      [`tool_calls_total{model="scripted",outcome="failed",service="generation"}`, agentsAnswered - callsRun],
    ] as const)
      assert(page.includes(`headwater_generation_${series} ${value}\n`), `${series} ${value}\n${page}`);
  });
}
