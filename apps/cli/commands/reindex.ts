import type { Command } from "commander";
import type { Connection, ConnectionOptions } from "../connection.ts";
import { withClient, withConnection } from "../connection.ts";
import { exitCode } from "../exit-code.ts";

export function addReindexCommand(program: Command): void {
  const command = program
    .command("reindex")
    .description("make all passages anew from the originals, after a change of model or of chunking");
  withConnection(command).action((options: ConnectionOptions) => withClient(options, reindex));
}

async function reindex({ client, output, signal }: Connection): Promise<void> {
  let failed = 0;
  let last = "";
  for await (const progress of client.reindex({ signal })) {
    failed = progress.failed;
    last = `${progress.done}/${progress.total} documents, ${failed} failed`;
    if (output.json) output.value(progress);
    else if (output.interactive) process.stderr.write(`\r\u001b[K${last}`);
  }
  if (output.interactive) process.stderr.write("\r\u001b[K");
  if (!output.json) output.line(`Reindexed: ${last}`);
  if (failed > 0) process.exitCode = exitCode.partial;
}
