import type { Command } from "commander";
import type { Connection, ConnectionOptions } from "../connection.ts";
import { withClient, withConnection } from "../connection.ts";
import { table } from "../terminal/output.ts";

export function addStatusCommand(program: Command): void {
  withConnection(program.command("status").description("where the documents are in the pipeline")).action(
    (options: ConnectionOptions) => withClient(options, status),
  );
}

async function status({ client, output, signal }: Connection): Promise<void> {
  const pipeline = await client.pipeline({ signal });
  if (output.json) return output.value(pipeline);
  output.line(
    table([
      ...Object.entries(pipeline.documents).filter(
        ([state, documents]) => documents > 0 || state === "indexed",
      ),
      ["passages", pipeline.passages],
      ["waiting in the log", pipeline.lag],
      ["dead letters", pipeline.deadLetters],
    ]),
  );
}
