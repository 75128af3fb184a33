import type { HeadwaterClient } from "@headwater/client";
import { createHeadwaterClient } from "@headwater/client";
import { createNodeTransport } from "@headwater/client/node";
import type { Command } from "commander";
import { Option } from "commander";
import { readApiKey } from "./api-key.ts";
import type { Output } from "./terminal/output.ts";
import { createOutput } from "./terminal/output.ts";

/** Options of every command that talks to a server. */
export interface ConnectionOptions {
  readonly server: string;
  readonly apiKey?: string;
  readonly apiKeyFile?: string;
  /** Undefined: the commands of operators, for all tenants. */
  readonly tenant?: string;
  readonly json?: boolean;
  /** The commands of operators: past the gateway. */
  readonly direct?: boolean;
}

/** What a command works with. */
export interface Connection {
  readonly client: HeadwaterClient;
  readonly output: Output;
  /** Fires on Ctrl-C, or when a supervisor ends the process, so that what is under way at the server stops too. */
  readonly signal: AbortSignal;
}

const stopSignals = ["SIGINT", "SIGTERM"] as const;

/** Adds the options of every command that talks to a server about one tenant's documents. */
export function withConnection(command: Command): Command {
  return withServer(command).addOption(
    new Option("--tenant <name>", "owner of the documents").env("HEADWATER_TENANT").default("default"),
  );
}

/** Adds the options of commands that are about all tenants unless one is named. */
export function withOperatorConnection(command: Command): Command {
  return withServer(command)
    .option("--tenant <name>", "only this owner's documents; default: all, or the one of the API key")
    .addOption(
      new Option(
        "--direct",
        "ask the services themselves, past the gateway, where the settings say they are: from inside a cluster",
      ).conflicts(["apiKey", "apiKeyFile"]),
    );
}

/** Adds the options of commands that measure with documents of their own. */
export function withEvaluationTenant(command: Command): Command {
  return withServer(command).option(
    "--tenant <name>",
    "owner of the set's documents; what else it owns is searched too",
    "evaluation",
  );
}

function withServer(command: Command): Command {
  return command
    .addOption(
      new Option("--server <url>", "where Headwater is")
        .env("HEADWATER_SERVER")
        .default("http://127.0.0.1:8080"),
    )
    .addOption(new Option("--api-key <key>", "credentials, where sign-in is on").env("HEADWATER_API_KEY"))
    .addOption(
      new Option("--api-key-file <path>", "file that holds them, such as a mounted secret")
        .env("HEADWATER_API_KEY_FILE")
        .conflicts("apiKey"),
    )
    .option("--json", "print JSON, one value a line");
}

/** Runs a command's work with a client, and closes its connection whatever happens. */
export async function withClient(
  options: ConnectionOptions,
  work: (connection: Connection) => Promise<void>,
): Promise<void> {
  const { transport, close } = options.direct ? await openDirectly() : openServer(options);
  const client = createHeadwaterClient({
    transport,
    ...(options.tenant === undefined ? {} : { tenant: options.tenant }),
  });
  try {
    await untilStopped((signal) => work({ client, output: createOutput(options.json === true), signal }));
  } finally {
    close();
  }
}

interface OpenTransport {
  readonly transport: NonNullable<Parameters<typeof createHeadwaterClient>[0]["transport"]>;
  close(): void;
}

function openServer(options: ConnectionOptions): OpenTransport {
  const apiKey = readApiKey(options);
  const transport = createNodeTransport({
    baseUrl: options.server,
    ...(apiKey === undefined ? {} : { apiKey }),
  });
  return { transport, close: () => transport.close() };
}

async function openDirectly(): Promise<OpenTransport> {
  // Loaded here, because it brings the gateway: the other commands start without it.
  const { connectDirectly } = await import("./direct-connection.ts");
  const { upstream } = connectDirectly();
  return { transport: upstream.transport, close: () => upstream.close() };
}

/** Runs work whose signal fires on Ctrl-C and on what ends a pod. */
export async function untilStopped(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  for (const name of stopSignals) process.once(name, interrupt);
  try {
    await work(interrupted.signal);
  } finally {
    for (const name of stopSignals) process.off(name, interrupt);
  }
}
