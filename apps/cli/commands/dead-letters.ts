import type { DeadLetterDetails } from "@headwater/client";
import type { Command } from "commander";
import type { Connection, ConnectionOptions } from "../connection.ts";
import { withClient, withConnection } from "../connection.ts";
import { table } from "../terminal/output.ts";

interface ShowOptions extends ConnectionOptions {
  readonly content?: boolean;
}

export function addDeadLettersCommand(program: Command): void {
  const deadLetters = program.command("dead-letters").description("documents that could not be processed");
  withConnection(deadLetters.command("list").description("list them, newest first")).action(
    (options: ConnectionOptions) => withClient(options, list),
  );
  withConnection(
    deadLetters
      .command("show <id>")
      .description("all that is known of one: why it failed, and what its event says")
      .option("--content", "print the first MiB of the document too"),
  ).action((id: string, options: ShowOptions) =>
    withClient(options, (connection) => show(id, options.content === true, connection)),
  );
  withConnection(
    deadLetters.command("replay [ids...]").description("try them again; all if none is named"),
  ).action((ids: string[], options: ConnectionOptions) =>
    withClient(options, (connection) => replay(ids, connection)),
  );
}

async function list({ client, output, signal }: Connection): Promise<void> {
  let pageToken = "";
  do {
    const page = await client.deadLetters.list({ pageSize: 1000, pageToken, signal });
    for (const letter of page.deadLetters) {
      if (output.json) output.value(letter);
      else {
        const { failure } = letter;
        output.line(
          `${letter.id}  ${letter.documentId}  ${failure?.stage ?? ""}: ${failure?.message ?? ""} [${failure?.reason ?? ""}]`,
        );
      }
    }
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
}

async function show(id: string, withContent: boolean, { client, output, signal }: Connection): Promise<void> {
  const letter = await client.deadLetters.get(id, { withContent, signal });
  const { content, ...rest } = letter;
  if (output.json) {
    output.value({
      ...rest,
      ...(content ? { contentBase64: Buffer.from(content).toString("base64") } : {}),
    });
    return;
  }
  output.line(table(rowsOf(letter)));
  if (!content) return;
  output.line("");
  output.line(new TextDecoder().decode(content));
}

function rowsOf(letter: DeadLetterDetails): [string, string | number][] {
  const { failure, metadata } = letter;
  const rows: [string, string | number | undefined][] = [
    ["document", letter.documentId],
    ["version", letter.version || undefined],
    ["stage", failure?.stage],
    ["reason", failure?.reason],
    ["message", failure?.message],
    ["attempts", failure?.attempts],
    ["failed", letter.failedTime?.toISOString()],
    ["appended", letter.appendedTime?.toISOString()],
    ["partition", letter.partition],
    ["offset", letter.offset],
    ["title", metadata?.title],
    ["uri", metadata?.uri],
    ["media type", metadata?.mediaType],
    ["observed", metadata?.observedTime?.toISOString()],
    ["bytes", letter.sizeBytes],
    ...prefixed("attribute", metadata?.attributes),
    ...prefixed("header", letter.headers),
  ];
  return rows.flatMap(([name, value]) => (value === undefined || value === "" ? [] : [[name, value]]));
}

function prefixed(prefix: string, entries: Readonly<Record<string, string>> = {}): [string, string][] {
  return Object.entries(entries).map(([name, value]) => [`${prefix} ${name}`, value]);
}

async function replay(ids: string[], { client, output, signal }: Connection): Promise<void> {
  const replayed = await client.deadLetters.replay(ids, { signal });
  if (output.json) output.value({ replayed });
  else output.line(`${replayed} put back into the log`);
}
