import { createInterface } from "node:readline/promises";
import type { ChatEvent, ChatOptions } from "@headwater/client";
import { HeadwaterError, status } from "@headwater/errors";
import type { Command } from "commander";
import type { Connection, ConnectionOptions } from "../connection.ts";
import { withClient, withConnection } from "../connection.ts";
import { exitCode } from "../exit-code.ts";
import type { FilterOptions } from "../filter.ts";
import { addFilterOptions, readFilter } from "../filter.ts";
import { bold, dim } from "../terminal/output.ts";
import { TurnPrinter } from "../terminal/turn-printer.ts";

interface ChatCommandOptions extends ConnectionOptions, FilterOptions {
  readonly message?: string;
  readonly agent?: string;
  readonly conversation?: string;
  readonly model?: string;
  readonly owner?: string;
}

export function addChatCommand(program: Command): void {
  const command = program
    .command("chat")
    .description("talk with the documents, or with an agent; by lines from standard input, or once with -m")
    .option("-m, --message <text>", "say this, print the answer and end")
    .option("--agent <name>", "name or id of the agent that answers")
    .option("--conversation <id>", "go on with a conversation; a new one if not given")
    .option("--model <name>", "language model; the server's default if not given")
    .option("--owner <name>", "whose conversation and memory; of the API key if not given");
  addFilterOptions(withConnection(command)).action((options: ChatCommandOptions) =>
    withClient(options, (connection) => chat(options, connection)),
  );
}

async function chat(options: ChatCommandOptions, connection: Connection): Promise<void> {
  const { output } = connection;
  const filter = readFilter(options);
  const agentId =
    options.agent === undefined ? undefined : await findAgent(options.agent, options, connection);
  const call: ChatOptions = {
    signal: connection.signal,
    ...(options.owner === undefined ? {} : { owner: options.owner }),
    ...(options.conversation === undefined ? {} : { conversationId: options.conversation }),
    ...(options.model === undefined ? {} : { model: options.model }),
    ...(agentId === undefined ? {} : { agentId }),
    ...(filter ? { filter } : {}),
  };
  if (options.message !== undefined) {
    await say(options.message, call, connection, undefined);
    return;
  }
  const person = process.stdin.isTTY === true && !output.json;
  const lines = createInterface({ input: process.stdin, ...(person ? { output: process.stderr } : {}) });
  const stop = () => lines.close();
  connection.signal.addEventListener("abort", stop, { once: true });
  try {
    const prompt = () => {
      if (!person) return;
      lines.setPrompt(bold("> "));
      lines.prompt();
    };
    prompt();
    for await (const line of lines) {
      if (line.trim() !== "")
        call.conversationId = await say(
          line,
          call,
          connection,
          person ? (text) => lines.question(text) : undefined,
        );
      prompt();
    }
  } finally {
    connection.signal.removeEventListener("abort", stop);
    lines.close();
  }
  if (person && call.conversationId)
    output.note(dim(`\nheadwater chat --conversation ${call.conversationId} goes on with it`));
}

/**
 * One turn; its events are printed as they come.
 *
 * @param ask a person who can decide on tool calls; undefined: nobody, and calls that wait are refused
 * @returns the conversation's id
 */
async function say(
  message: string,
  call: ChatOptions,
  { client, output }: Connection,
  ask: ((question: string) => Promise<string>) | undefined,
): Promise<string> {
  const printer = new TurnPrinter(output);
  let started: Extract<ChatEvent, { type: "started" }> | undefined;
  for await (const event of client.chat(message, call)) {
    printer.print(event);
    if (event.type === "started") started = event;
    else if (event.type === "approval" && started) {
      const approved = /^y(es)?$/i.test((await ask?.("run it? [y/N] "))?.trim() ?? "");
      if (!ask) output.note("The call waits for approval, and nobody is here to give it: it is refused.");
      await client.turns.decide(started.turnId, event.callId, approved, {
        ...(call.owner === undefined ? {} : { owner: call.owner }),
        ...(call.signal ? { signal: call.signal } : {}),
      });
    } else if (event.type === "end") {
      if (event.reason === "no_support") process.exitCode = exitCode.nothingFound;
      if (event.reason === "failed") process.exitCode = exitCode.failed;
    }
  }
  return started?.conversationId ?? "";
}

/** @throws HeadwaterError NOT_FOUND where the tenant has no agent of this name or id */
async function findAgent(
  name: string,
  { tenant }: ConnectionOptions,
  { client, signal }: Connection,
): Promise<string> {
  for await (const agent of client.agents.all({ signal, ...(tenant === undefined ? {} : { tenant }) }))
    if (agent.name === name || agent.id === name) return agent.id;
  throw new HeadwaterError({
    code: status.NOT_FOUND,
    reason: "HW_AGENT_UNKNOWN",
    message: `There is no agent named ${name}.`,
    action: "GET /api/v1/agents lists the agents.",
  });
}
