import { invalidSetting } from "@headwater/settings";
import type { Command } from "commander";
import type { Installation } from "../backup/installation.ts";
import { untilStopped } from "../connection.ts";
import { exitCode } from "../exit-code.ts";
import { backgroundNotes, progressLine } from "../terminal/backup-progress.ts";
import { createOutput } from "../terminal/output.ts";
import { withDestination } from "./backup.ts";

interface RestoreOptions {
  readonly destination?: string;
  readonly json?: boolean;
  readonly replace?: boolean;
  readonly reindex: boolean;
}

export function addRestoreCommand(program: Command): void {
  withDestination(program.command("restore"))
    .description("make an installation what it was when a backup was taken")
    .argument("[name]", "which backup; the newest where none is named")
    .option("--replace", "where records are here already, give them up for those of the backup")
    .option("--no-reindex", "leave the indexes to `headwater reindex`, once the services run")
    .addHelpText(
      "after",
      `
Reads the settings of the services from the environment (docs/settings.md) and speaks with the stores itself. Ingest,
search, generation and gateway must be stopped; the embedding-worker may run, and is asked for vectors at
HEADWATER_EMBEDDING_ADDRESS, where that is set. Every sum is compared: what is damaged is named, and no record is
written. Where it is interrupted, the same command goes on. Then the indexes are made anew from the originals, and what
came into the log since the backup is taken in, if the log still has it. docs/backup.md tells the rest.

Exits with ${exitCode.partial} where documents failed: they are dead letters then.`,
    )
    .action((name: string | undefined, options: RestoreOptions) =>
      untilStopped((signal) => restore(name, options, signal)),
    );
}

async function restore(
  name: string | undefined,
  { destination, json, replace, reindex }: RestoreOptions,
  signal: AbortSignal,
): Promise<void> {
  const output = createOutput(json === true);
  const { readBackupConfig } = await import("../backup/backup-settings.ts");
  const { findBackup } = await import("../backup/manifest.ts");
  const { lockEmbeddedStores, openInstallation } = await import("../backup/installation.ts");
  const { finishRestoreOf, restoreBackup } = await import("../backup/restore-backup.ts");
  const config = readBackupConfig({ destination });
  if (reindex && process.env["HEADWATER_TLS_DIR"])
    throw invalidSetting(
      "HEADWATER_TLS_DIR",
      "an ingest that nobody else reaches has no name in the certificate: give --no-reindex, start the services, then `headwater reindex --direct`",
    );
  using _lock = lockEmbeddedStores();
  const onError = backgroundNotes(output);
  const line = progressLine(output);
  const store = await config.openDestination();
  try {
    const started = performance.now();
    const manifest = await findBackup(store, name, config.destination);
    const withInstallation = async <T>(work: (opened: Installation) => Promise<T>): Promise<T> => {
      const installation = await openInstallation(onError, { create: true });
      return await work(installation).finally(() => installation.close());
    };
    const restored = await withInstallation((installation) =>
      restoreBackup({
        ...{ installation, store, manifest, replace: replace === true, signal },
        ...{ onProgress: line.show, onError },
      }),
    );
    const restoredMs = performance.now() - started;
    // Its stores are opened by ingest itself meanwhile, and an embedded one by nobody else.
    const { rebuildIndexes } = await import("../backup/rebuild-indexes.ts");
    const rebuilt = reindex ? await rebuildIndexes(line.show, signal) : undefined;
    await withInstallation(finishRestoreOf);
    line.clear();
    const seconds = { restore: restoredMs / 1000, all: (performance.now() - started) / 1000 };
    if (output.json) output.value({ name: manifest.name, ...restored, indexes: rebuilt ?? null, seconds });
    else {
      output.line(
        `${manifest.name}: ${restored.rows} records, ${restored.originals} originals that were not here, ${restored.jobs} jobs waiting. ${seconds.restore.toFixed(1)} s.`,
      );
      output.line(
        rebuilt
          ? `Indexes made anew of ${rebuilt.documents} documents, ${rebuilt.failed} failed. ${(seconds.all - seconds.restore).toFixed(1)} s.`
          : "Start the services, then make the indexes anew: headwater reindex",
      );
    }
    if (rebuilt && rebuilt.failed > 0) process.exitCode = exitCode.partial;
  } finally {
    line.clear();
    await store.close();
  }
}
