import { AgentServiceDefinition } from "@headwater/proto/services/headwater/v1/agent";
import type { RecordStore } from "@headwater/record-store";
import type { ServedService } from "@headwater/rpc";
import { servedService } from "@headwater/rpc";
import type { Models } from "../models/models.ts";
import type { FindAgent } from "../turns/turn-runner.ts";
import { AgentHandlers } from "./agent-handlers.ts";
import { AgentStore } from "./agent-store.ts";
import type { AgentTurnParts } from "./agent-turn.ts";
import { createFindAgent } from "./agent-turn.ts";

/** Agents: their service, and the turns that they answer. */
export interface Agents {
  readonly service: ServedService;
  readonly find: FindAgent;
}

export function createAgents(records: RecordStore, models: Models, parts: AgentTurnParts): Agents {
  const agents = new AgentStore(records);
  const { registry } = parts;
  return {
    service: servedService(AgentServiceDefinition, new AgentHandlers({ agents, registry, models })),
    find: createFindAgent(agents, parts),
  };
}
