import type { Command } from "commander";
import { createOutput } from "../terminal/output.ts";

export function addPrepareCommand(program: Command): void {
  program
    .command("prepare")
    .description("make the topics, bucket and database schema that are not there yet, and check every server")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Reads the settings of ingest from the environment (docs/settings.md) and speaks with the servers itself: no Headwater
has to run, except that the embedded stores must not be in use. To repeat it is harmless.`,
    )
    .action(async (options: { readonly json?: boolean }) => {
      const { prepareIngest } = await import("@headwater/ingest");
      const { readIngestConfig } = await import("@headwater/ingest/config");
      const output = createOutput(options.json === true);
      await prepareIngest(readIngestConfig(), (thrown) => output.note(`tried again: ${String(thrown)}`));
      if (output.json) output.value({ prepared: true });
      else output.line("Topics, bucket and schema are there, and every server answers.");
    });
}
