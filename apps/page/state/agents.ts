import type { Agent, NewAgent, Tool } from "@headwater/client";
import { signal } from "@preact/signals";
import { announce } from "./announcer.ts";
import type { Fault } from "./fault.ts";
import { faultOf } from "./fault.ts";
import { server } from "./server.ts";

export interface AgentList {
  /** By name. */
  readonly agents: readonly Agent[];
  readonly loading: boolean;
  readonly fault: Fault | undefined;
}

export const agentList = signal<AgentList>({ agents: [], loading: true, fault: undefined });

export interface ToolList {
  readonly tools: readonly Tool[];
  /** Sources of tools that do not answer, as "name: why". */
  readonly unavailable: readonly string[];
  readonly fault: Fault | undefined;
}

export const toolList = signal<ToolList>({ tools: [], unavailable: [], fault: undefined });

export async function listAgents(signal?: AbortSignal): Promise<void> {
  const call = signal ? { signal } : {};
  agentList.value = { ...agentList.peek(), loading: true, fault: undefined };
  try {
    const agents: Agent[] = [];
    let pageToken = "";
    do {
      const page = await server.agents.list({ pageSize: 200, pageToken, ...call });
      agents.push(...page.agents);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    agentList.value = { agents, loading: false, fault: undefined };
  } catch (thrown) {
    agentList.value = { ...agentList.peek(), loading: false, fault: faultOf(thrown, signal) };
  }
}

export async function listTools(signal: AbortSignal): Promise<void> {
  try {
    toolList.value = { ...(await server.tools({ signal })), fault: undefined };
  } catch (thrown) {
    toolList.value = { ...toolList.peek(), fault: faultOf(thrown, signal) };
  }
}

/**
 * Makes an agent, or changes the one that was read.
 * @returns what went wrong, if something did
 */
export async function saveAgent(before: Agent | undefined, agent: NewAgent): Promise<Fault | undefined> {
  try {
    if (before) await server.agents.update(before.id, agent, { version: before.version });
    else await server.agents.create(agent);
    announce(`${agent.name} is saved.`);
    await listAgents();
    return undefined;
  } catch (thrown) {
    return faultOf(thrown);
  }
}

/** @returns what went wrong, if something did */
export async function deleteAgent({ id, name }: Agent): Promise<Fault | undefined> {
  try {
    await server.agents.delete(id);
    announce(`${name} is deleted.`);
    await listAgents();
    return undefined;
  } catch (thrown) {
    return faultOf(thrown);
  }
}
