import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ScriptedModelServer } from "@headwater/language-model/scripted-model-server";
import { startScriptedModelServer } from "@headwater/language-model/scripted-model-server";
import type {
  ChatRequest,
  ChatResponse,
  DeepPartial,
} from "@headwater/proto/services/headwater/v1/conversation";
import { ConversationServiceDefinition } from "@headwater/proto/services/headwater/v1/conversation";
import type { RpcClient } from "@headwater/rpc";
import { createRpcClient } from "@headwater/rpc";
import type { RunningService } from "@headwater/service";
import { silentTelemetry } from "@headwater/telemetry";
import { temporaryFolder } from "@headwater/testing";
import { readGenerationConfig } from "../config.ts";
import { startGeneration } from "../server.ts";
import type { SearchDouble } from "./search-double.ts";
import { passage, startSearchDouble } from "./search-double.ts";

/** For tests: generation with a scripted model and a search that finds what it is given. */
export interface ConversationHarness {
  readonly search: SearchDouble;
  readonly models: ScriptedModelServer;
  readonly servers: readonly ConversationServer[];
  /** A further process of the same service, where they share a database. */
  start(settings?: Record<string, string>): Promise<ConversationServer>;
  /** The same as a process of its own, which can be killed. */
  spawn(settings?: Record<string, string>): Promise<ConversationProcess>;
  close(): Promise<void>;
}

export interface ConversationServer {
  readonly client: RpcClient<typeof ConversationServiceDefinition>;
  readonly metrics: () => Promise<string>;
  close(graceMs?: number): Promise<void>;
}

export interface ConversationProcess {
  readonly client: RpcClient<typeof ConversationServiceDefinition>;
  /** With SIGKILL; resolves once it is gone. */
  kill(): Promise<void>;
}

/** The model of the scripted server. */
export const scripted = "scripted";

export async function startConversationHarness(
  settings: Record<string, string> = {},
): Promise<ConversationHarness> {
  const search = await startSearchDouble();
  const models = await startScriptedModelServer();
  const servers: ConversationServer[] = [];
  const folder = await temporaryFolder();
  const environment = {
    HEADWATER_GENERATION_LISTEN: "127.0.0.1:0",
    HEADWATER_METRICS_ADDRESS: "127.0.0.1:0",
    HEADWATER_DATA_DIR: folder,
    HEADWATER_SEARCH_ADDRESS: search.address,
    // Nothing listens there: words alone decide.
    HEADWATER_EMBEDDING_ADDRESS: "127.0.0.1:1",
    HEADWATER_GENERATION_MODEL: scripted,
    HEADWATER_OPENAI_BASE_URL: models.baseUrl,
    HEADWATER_OPENAI_MODEL: scripted,
    HEADWATER_OPENAI_API_KEY: "sk-secret",
    ...settings,
  };
  const processes: ConversationProcess[] = [];
  search.passages = [passage("pumps", "Pumps are old. The engine was built in Cornwall. It rained.", 500)];
  return {
    search,
    models,
    servers,
    async start(more = {}) {
      const telemetry = silentTelemetry("generation");
      const config = readGenerationConfig({ ...environment, ...more });
      const service: RunningService = await startGeneration(config, telemetry);
      const client = createRpcClient(ConversationServiceDefinition, service.address);
      const server: ConversationServer = {
        client,
        metrics: () => telemetry.metrics.metrics(),
        close: async (graceMs = 500) => {
          client.close();
          await service.close(graceMs);
        },
      };
      servers.push(server);
      return server;
    },
    async spawn(more = {}) {
      const process = await spawnProcess({ ...environment, ...more });
      processes.push(process);
      return process;
    },
    async close() {
      await Promise.all(servers.map((server) => server.close()));
      await Promise.all(processes.map((process) => process.kill()));
      await models.close();
      await search.close();
    },
  };
}

async function spawnProcess(environment: Record<string, string>): Promise<ConversationProcess> {
  const main = fileURLToPath(new URL("../main.ts", import.meta.url));
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const gone = once(child, "exit");
  const kill = async () => {
    child.kill("SIGKILL");
    await gone;
  };
  for await (const line of createInterface(child.stderr)) {
    const address = /"address":"([^"]+)"/.exec(line)?.[1];
    if (address === undefined) continue;
    // Its further words are nobody's, but a pipe that is full would hold it up.
    child.stderr.resume();
    const client = createRpcClient(ConversationServiceDefinition, address);
    return {
      client,
      kill: async () => {
        client.close();
        await kill();
      },
    };
  }
  await kill();
  throw new Error("generation did not start");
}

/** All events of a turn. */
export async function chat(
  { client }: Pick<ConversationServer, "client">,
  request: DeepPartial<ChatRequest>,
): Promise<ChatResponse[]> {
  return await Array.fromAsync(client.call.chat(request));
}

/** What `resumeTurn` streams after a sequence. */
export async function resume(
  { client }: Pick<ConversationServer, "client">,
  turnId: string,
  afterSequence: number,
): Promise<ChatResponse[]> {
  const events: ChatResponse[] = [];
  for await (const { event } of client.call.resumeTurn({ turnId, afterSequence }))
    if (event) events.push(event);
  return events;
}

export function textOf(events: readonly ChatResponse[]): string {
  return events.flatMap(({ event }) => (event?.$case === "text" ? [event.value.text] : [])).join("");
}

export function startOf(events: readonly ChatResponse[]) {
  const event = events[0]?.event;
  if (event?.$case !== "started") throw new Error(`the turn began with ${event?.$case}`);
  return event.value;
}

export function endOf(events: readonly ChatResponse[]) {
  const event = events.at(-1)?.event;
  if (event?.$case !== "end") throw new Error(`the turn ended with ${event?.$case}`);
  return event.value;
}
