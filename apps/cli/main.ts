import "./compile-cache.ts";

import { HeadwaterClientError } from "@headwater/client";
import { HeadwaterError } from "@headwater/errors";
import { Command, CommanderError } from "commander";
import { addAskCommand } from "./commands/ask.ts";
import { addBackupCommands } from "./commands/backup.ts";
import { addBenchCommand } from "./commands/bench.ts";
import { addChatCommand } from "./commands/chat.ts";
import { addCrawlCommand } from "./commands/crawl.ts";
import { addDeadLettersCommand } from "./commands/dead-letters.ts";
import { addDeleteCommand } from "./commands/delete.ts";
import { addDoctorCommand } from "./commands/doctor.ts";
import { addDocumentsCommand } from "./commands/documents.ts";
import { addEvalCommand } from "./commands/eval.ts";
import { addIngestCommand } from "./commands/ingest.ts";
import { addMcpCommand } from "./commands/mcp.ts";
import { addPrepareCommand } from "./commands/prepare.ts";
import { addReindexCommand } from "./commands/reindex.ts";
import { addRestoreCommand } from "./commands/restore.ts";
import { addSearchCommand } from "./commands/search.ts";
import { addSmokeTestCommand } from "./commands/smoke-test.ts";
import { addStatusCommand } from "./commands/status.ts";
import { addUpCommand } from "./commands/up.ts";
import { addWatchCommand } from "./commands/watch.ts";
import { exitCode, exitCodeOf } from "./exit-code.ts";

const program = new Command("headwater")
  .description("Documents in, streamed hits and cited answers out.")
  .version("0.1.0")
  .showHelpAfterError("(headwater --help lists the commands)")
  .addHelpText(
    "after",
    `
The server is found at --server or HEADWATER_SERVER, http://127.0.0.1:8080 by default.
With --json, results are JSON, one value a line, on standard output; all else goes to standard error.

Exit codes: ${exitCode.ok} done; ${exitCode.failed} failed; ${exitCode.usage} wrong usage or setting; ${exitCode.unreachable} server unreachable or overloaded;
            ${exitCode.partial} done, but some documents failed; ${exitCode.nothingFound} no hits, or the documents do not say.`,
  )
  .exitOverride();

for (const add of [
  addUpCommand,
  addIngestCommand,
  addWatchCommand,
  addCrawlCommand,
  addSearchCommand,
  addAskCommand,
  addChatCommand,
  addStatusCommand,
  addDocumentsCommand,
  addDeleteCommand,
  addDeadLettersCommand,
  addReindexCommand,
  addBackupCommands,
  addRestoreCommand,
  addMcpCommand,
  addPrepareCommand,
  addEvalCommand,
  addBenchCommand,
  addDoctorCommand,
  addSmokeTestCommand,
]) {
  add(program);
}

// A reader that closed the pipe early, as `head` does, is no failure of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCode.ok);
  throw error;
});

try {
  await program.parseAsync();
} catch (thrown) {
  process.exitCode = report(thrown);
}

function report(thrown: unknown): number {
  // Commander has already said what is wrong, or printed the help that was asked for.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCode.ok : exitCode.usage;
  const error = thrown instanceof HeadwaterClientError ? thrown : HeadwaterError.from(thrown);
  process.stderr.write(`headwater: ${error.message} [${error.reason}]\n`);
  if (error.action) process.stderr.write(`${error.action}\n`);
  if (error.reason === "HW_INTERNAL" && error.cause instanceof Error)
    process.stderr.write(`${error.cause.stack}\n`);
  if (error.reason === "HW_SETTINGS_INVALID") return exitCode.usage;
  return exitCodeOf(error.code);
}
