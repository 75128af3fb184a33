import type { ReindexOptions, ReindexStatus } from "@headwater/client";
import type { Command } from "commander";
import { Option } from "commander";
import type { Connection, ConnectionOptions } from "../connection.ts";
import { withClient, withOperatorConnection } from "../connection.ts";
import { exitCode } from "../exit-code.ts";
import { table } from "../terminal/output.ts";

interface ReindexCommandOptions extends ConnectionOptions {
  readonly undo?: boolean;
  readonly finish?: boolean;
  readonly status?: boolean;
}

export function addReindexCommand(program: Command): void {
  const command = program
    .command("reindex")
    .description("make all passages anew from the originals, after a change of model or of chunking")
    .addOption(
      new Option("--undo", "let the generation before serve again, with what changed since").conflicts([
        "finish",
        "status",
      ]),
    )
    .addOption(
      new Option(
        "--finish",
        "drop the generation that does not serve: it cannot be undone from then on",
      ).conflicts("status"),
    )
    .option("--status", "show how far it is, and the generations that there are")
    .addHelpText(
      "after",
      `
A new generation of the indexes is filled while the old one serves, and then takes its place in one step. One that was
interrupted, by a crash or by Ctrl-C, goes on where it was when the command is given again; if model or chunking have
changed since it began, it begins anew. One runs at a time.

The old generation is kept until --finish or the next reindex, and takes as much disk as it did before: from the first
moment of a reindex until --finish the indexes need about twice their disk. --undo needs the model and the chunking
that the old generation was made with: where you have changed them, set them back and restart first.

With --tenant, one tenant's documents are made anew in place, one after the other; that cannot be undone.`,
    );
  withOperatorConnection(command).action((options: ReindexCommandOptions) =>
    withClient(options, (connection) => {
      if (options.status) return showStatus(connection);
      if (options.finish) return finish(connection);
      return reindex(connection, options.undo ? "undo" : "resume");
    }),
  );
}

async function reindex(
  { client, output, signal }: Connection,
  action: NonNullable<ReindexOptions["action"]>,
): Promise<void> {
  let failed = 0;
  let last = "";
  let resumed = false;
  for await (const progress of client.reindex({ signal, action })) {
    if (progress.resumed && !resumed && !output.json)
      output.note(`Going on where it was interrupted, at ${progress.done} of ${progress.total} documents.`);
    resumed = progress.resumed;
    failed = progress.failed;
    last = `${progress.done}/${progress.total} documents, ${failed} failed`;
    if (output.json) output.value(progress);
    else if (output.interactive) process.stderr.write(`\r\u001b[K${last}`);
  }
  if (output.interactive) process.stderr.write("\r\u001b[K");
  if (!output.json) output.line(action === "undo" ? `Undone: ${last} changed since` : `Reindexed: ${last}`);
  if (failed > 0) process.exitCode = exitCode.partial;
}

async function finish({ client, output, signal }: Connection): Promise<void> {
  for await (const progress of client.reindex({ signal, action: "finish" }))
    if (output.json) output.value(progress);
  if (!output.json) output.line("Finished: one generation is left, the one that serves");
}

async function showStatus({ client, output, signal }: Connection): Promise<void> {
  const status = await client.reindexStatus({ signal });
  if (output.json) return output.value(status);
  output.line(describe(status));
  output.line(
    table(
      status.generations.map(({ name, serves, passages, fingerprint }) => [
        name,
        serves ? "serves" : "",
        `${passages} passages`,
        fingerprint === status.fingerprint ? "made with the present settings" : "made with other settings",
      ]),
    ),
  );
}

function describe({ state, running, done, total, failed, changed, startedTime }: ReindexStatus): string {
  const since = startedTime ? `begun ${startedTime.toISOString()}` : "";
  switch (state) {
    case "none":
      return "No reindex is under way, and there is nothing to undo.";
    case "switched":
      return `The new generation serves. The one before is kept for --undo, and lacks ${changed} documents that changed since.`;
    default:
      return `${running ? "Running" : "Interrupted; `headwater reindex` goes on"}, ${since}: ${done}/${total} documents, ${failed} failed, ${changed} changed meanwhile.`;
  }
}
