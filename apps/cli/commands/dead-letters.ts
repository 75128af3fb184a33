import type { Command } from "commander";
import type { Connection, ConnectionOptions } from "../connection.ts";
import { withClient, withConnection } from "../connection.ts";

export function addDeadLettersCommand(program: Command): void {
  const deadLetters = program.command("dead-letters").description("documents that could not be processed");
  withConnection(deadLetters.command("list").description("list them, newest first")).action(
    (options: ConnectionOptions) => withClient(options, list),
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

async function replay(ids: string[], { client, output, signal }: Connection): Promise<void> {
  const replayed = await client.deadLetters.replay(ids, { signal });
  if (output.json) output.value({ replayed });
  else output.line(`${replayed} put back into the log`);
}
