import type { Command } from "commander";
import type { BackupConfig } from "../backup/backup-settings.ts";
import type { Manifest } from "../backup/manifest.ts";
import { untilStopped } from "../connection.ts";
import { exitCode } from "../exit-code.ts";
import { backgroundNotes, progressLine } from "../terminal/backup-progress.ts";
import type { Output } from "../terminal/output.ts";
import { createOutput, table } from "../terminal/output.ts";

interface DestinationOptions {
  readonly destination?: string;
  readonly json?: boolean;
}

interface BackupOptions extends DestinationOptions {
  readonly retention?: string;
}

interface VerifyOptions extends DestinationOptions {
  readonly quick?: boolean;
}

export function addBackupCommands(program: Command): void {
  withDestination(program.command("backup"))
    .description("copy records and originals to another place, once")
    .option("--retention <backups>", "how many to keep; default: HEADWATER_BACKUP_RETENTION, 14")
    .addHelpText(
      "after",
      `
Reads the settings of the services from the environment (docs/settings.md) and speaks with the stores itself. Servers may
be in use meanwhile; a data folder may not: stop \`npm start\` first. The indexes are not copied, since a restore makes
them anew from the originals. Originals that an earlier backup has are not copied again; a backup that was interrupted is
begun anew, and finds the originals that it had copied. docs/backup.md tells the rest.

Exits with ${exitCode.partial} where originals were gone or damaged before: the backup is whole but for them.`,
    )
    .action((options: BackupOptions) => untilStopped((signal) => backup(options, signal)));
  const backups = program.command("backups").description("what has been backed up");
  withDestination(backups.command("list"))
    .description("name the backups, oldest first")
    .action((options: DestinationOptions) => list(options));
  withDestination(backups.command("verify"))
    .description("read a backup and compare it with the sums that were noted")
    .argument("[name]", "which one; the newest where none is named")
    .option("--quick", "ask of originals only whether they are there, in their size")
    .action((name: string | undefined, options: VerifyOptions) =>
      untilStopped((signal) => verify(name, options, signal)),
    );
}

/** Adds the options of every command that is about backups. */
export function withDestination(command: Command): Command {
  return command
    .option(
      "--destination <place>",
      "a folder, or s3://bucket/prefix/; default: HEADWATER_BACKUP_DESTINATION",
    )
    .option("--json", "print JSON, one value a line");
}

// What speaks with stores is loaded when it is called for: other commands start without it.

async function backup({ destination, retention, json }: BackupOptions, signal: AbortSignal): Promise<void> {
  const output = createOutput(json === true);
  const config = await readConfig(destination, retention);
  const { lockEmbeddedStores, openInstallation } = await import("../backup/installation.ts");
  const { takeBackup } = await import("../backup/take-backup.ts");
  using _lock = lockEmbeddedStores();
  await using resources = new AsyncDisposableStack();
  const onError = backgroundNotes(output);
  const installation = await openInstallation(onError, { create: false });
  resources.defer(() => installation.close());
  const store = await config.openDestination();
  resources.defer(() => store.close());
  const line = progressLine(output);
  const { manifest, removed } = await takeBackup({
    ...{ installation, store, destination: config.destination, retention: config.retention },
    ...{ signal, onProgress: line.show, onError },
  }).finally(line.clear);
  const { originals } = manifest;
  if (output.json) output.value({ ...summary(manifest), removed: removed.backups });
  else {
    output.line(`${manifest.name} at ${config.destination}: ${describe(manifest)}`);
    output.line(
      `New originals: ${originals.copied}, ${mebibytes(originals.copied_bytes)}. ${(manifest.took_ms / 1000).toFixed(1)} s.`,
    );
    if (removed.backups.length > 0)
      output.line(`Removed: ${removed.backups.join(", ")}, with ${removed.originals} originals.`);
  }
  if (manifest.waiting > 0)
    output.note(`${manifest.waiting} events waited in the log: their documents are in the log alone.`);
  reportLost(output, manifest);
}

async function list({ destination, json }: DestinationOptions): Promise<void> {
  const output = createOutput(json === true);
  const config = await readConfig(destination);
  const { listBackups, readManifest } = await import("../backup/manifest.ts");
  const store = await config.openDestination();
  try {
    const rows: string[][] = [];
    for (const name of (await listBackups(store)).finished) {
      const manifest = await readManifest(store, name, config.destination);
      if (output.json) output.value(summary(manifest));
      rows.push([name, describe(manifest)]);
    }
    if (!output.json) output.line(rows.length > 0 ? table(rows) : `No backups at ${config.destination}.`);
  } finally {
    await store.close();
  }
}

async function verify(
  name: string | undefined,
  { destination, json, quick }: VerifyOptions,
  signal: AbortSignal,
): Promise<void> {
  const output = createOutput(json === true);
  const config = await readConfig(destination);
  const { findBackup } = await import("../backup/manifest.ts");
  const { verifyOriginals, verifyRecords } = await import("../backup/verify-backup.ts");
  const store = await config.openDestination();
  const line = progressLine(output);
  try {
    const manifest = await findBackup(store, name, config.destination);
    await verifyRecords(store, manifest);
    await verifyOriginals(store, manifest, quick ? "sizes" : "sums", line.show, signal);
    line.clear();
    if (output.json) output.value(summary(manifest));
    else output.line(`${manifest.name} is whole: ${describe(manifest)}`);
    reportLost(output, manifest);
  } finally {
    line.clear();
    await store.close();
  }
}

async function readConfig(destination: string | undefined, retention?: string): Promise<BackupConfig> {
  const { readBackupConfig } = await import("../backup/backup-settings.ts");
  return readBackupConfig({ destination, retention });
}

function reportLost(output: Output, { originals: { lost } }: Manifest): void {
  if (lost.length === 0) return;
  output.note(`Gone or damaged when it was taken, and so not in it: ${lost.join(", ")}`);
  process.exitCode = exitCode.partial;
}

function summary({ name, at, took_ms, records, originals, waiting }: Manifest) {
  const rows = records.flatMap(({ tables }) => tables.map((one) => one.rows));
  return {
    ...{ name, time: new Date(at).toISOString(), seconds: took_ms / 1000, waiting },
    rows: rows.reduce((sum, count) => sum + count, 0),
    ...{ originals: originals.count, original_bytes: originals.bytes },
    ...{ copied: originals.copied, copied_bytes: originals.copied_bytes, lost: originals.lost },
  };
}

function describe(manifest: Manifest): string {
  const { rows, originals, original_bytes } = summary(manifest);
  return `${rows} records, ${originals} originals, ${mebibytes(original_bytes)}`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
