import { importPart } from "@headwater/errors";
import type { Command } from "commander";
import { createOutput } from "../terminal/output.ts";

export function addUpCommand(program: Command): void {
  program
    .command("up")
    .description("run the five services in this process, until Ctrl-C")
    .option("--json", "print where things are as one line of JSON")
    .action(async ({ json }: { json?: boolean }) => {
      // Loaded here, because the services bring model runtime and indexes: the other commands start without them.
      const { up } = await importPart(
        "`headwater up`",
        () => import("../stack/up.ts"),
        "Run it from a checkout; in a cluster each service has an image of its own.",
      );
      await up(createOutput(json === true));
    });
}
