import type { CitationEvent, EndEvent } from "@headwater/client";
import type { Command } from "commander";
import type { Connection, ConnectionOptions } from "../connection.ts";
import { withClient, withConnection } from "../connection.ts";
import { exitCode } from "../exit-code.ts";
import type { FilterOptions } from "../filter.ts";
import { addFilterOptions, readFilter } from "../filter.ts";
import { wholeNumber } from "../number-option.ts";
import { dim } from "../terminal/output.ts";
import { printSources } from "../terminal/sources.ts";

interface AskOptions extends ConnectionOptions, FilterOptions {
  readonly model?: string;
  readonly passages?: number;
}

export function addAskCommand(program: Command): void {
  const command = program
    .command("ask <question...>")
    .description("get an answer with its sources")
    .option("--model <name>", "language model; the server's default if not given")
    .option("--passages <n>", "passages given to the model, 1 to 50", wholeNumber(1, 50));
  addFilterOptions(withConnection(command)).action((words: string[], options: AskOptions) =>
    withClient(options, (connection) => ask(words.join(" "), options, connection)),
  );
}

async function ask(question: string, options: AskOptions, connection: Connection): Promise<void> {
  const { client, output, signal } = connection;
  const filter = readFilter(options);
  const events = client.answer(question, {
    signal,
    ...(options.model === undefined ? {} : { model: options.model }),
    ...(options.passages === undefined ? {} : { maxPassages: options.passages }),
    ...(filter ? { filter } : {}),
  });
  const citations: CitationEvent[] = [];
  let end: EndEvent | undefined;
  for await (const event of events) {
    if (output.json) output.value(event);
    else if (event.type === "text") output.write(event.text);
    if (event.type === "citation") citations.push(event);
    else if (event.type === "end") end = event;
  }
  if (end?.reason === "no_support") process.exitCode = exitCode.nothingFound;
  if (output.json) return;
  output.line();
  printSources(output, citations);
  if (end) output.note(dim(`\n${end.model} · ${Math.round(end.milliseconds["total"] ?? 0)} ms`));
}
