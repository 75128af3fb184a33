import type { Command } from "commander";
import type { Connection, ConnectionOptions } from "../connection.ts";
import { withClient, withConnection } from "../connection.ts";

export function addDeleteCommand(program: Command): void {
  withConnection(program.command("delete <ids...>").description("delete documents")).action(
    (ids: string[], options: ConnectionOptions) =>
      withClient(options, (connection) => deleteDocuments(ids, connection)),
  );
}

async function deleteDocuments(ids: string[], { client, output, signal }: Connection): Promise<void> {
  for (const id of ids) {
    const position = await client.documents.delete(id, { signal });
    if (output.json) output.value({ id, ...position });
    else output.line(`${id}: deletion is in the log`);
  }
}
