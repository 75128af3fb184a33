import { statfs } from "node:fs/promises";
import type { Discrepancy, ReconcileFinding, ReconcileProgress } from "@headwater/client";
import { readSettings, text } from "@headwater/settings";
import type { Command } from "commander";
import { Option } from "commander";
import type { Connection, ConnectionOptions } from "../connection.ts";
import { withClient, withOperatorConnection } from "../connection.ts";
import type { Finding } from "../doctor/finding.ts";
import { failedCheck } from "../doctor/finding.ts";
import { exitCode } from "../exit-code.ts";
import { wholeNumber } from "../number-option.ts";
import { green, red } from "../terminal/output.ts";

/** Under this, indexing soon fails; the bundled index needs about 4 KB a passage. */
const freeBytesWanted = 1024 ** 3;

interface DoctorOptions extends ConnectionOptions {
  readonly repair?: boolean;
  readonly quick?: boolean;
  readonly maxBackupAge?: number;
}

export function addDoctorCommand(program: Command): void {
  const command = program
    .command("doctor")
    .description("find out what is wrong and what to do")
    .addOption(new Option("--repair", "mend what differs between the stores").conflicts("quick"))
    .option("--quick", "leave out the comparison of the stores, which looks at every document")
    .option(
      "--max-backup-age <hours>",
      "with --direct: an older backup, or none, is something wrong",
      wholeNumber(1, 100_000),
    )
    .addHelpText(
      "after",
      `
Names each service that is not ready and why, then compares the originals, the catalog and both indexes. With --repair
it mends what differs: passages that are missing, short or of another version are made anew from the original, and what
belongs to no document is removed. That goes through the log, behind what is under way, so it may run at any time.
A document whose original is gone cannot be mended; push it again.

With --direct, in a pod of the cluster or wherever the settings of the services are, it asks each service by itself and each
server that keeps something: PostgreSQL and the age of the last backup in it, S3, Kafka and how far ingest is behind,
Elasticsearch, Qdrant, and how long the certificates of the services hold.

Exits with 0 only if all is well, or if all that was not has been mended.`,
    );
  withOperatorConnection(command).action((options: DoctorOptions) =>
    withClient(options, (connection) => doctor(options, connection)),
  );
}

async function doctor(options: DoctorOptions, connection: Connection): Promise<void> {
  const { output } = connection;
  const checks = [
    () => checkNode(),
    () => checkDisk(),
    ...(options.direct ? directChecks(options) : [() => checkServer(options)]),
    () => checkPipeline(connection),
    () => checkModels(connection),
    ...(options.quick ? [] : [() => checkStores(connection, options.repair === true)]),
  ];
  for (const check of checks) {
    for (const finding of await check()) {
      if (!finding.healthy) {
        process.exitCode =
          finding.check === "server" ? exitCode.unreachable : (process.exitCode ?? exitCode.failed);
      }
      if (output.json) output.value(finding);
      else {
        output.line(`${finding.healthy ? green("✓") : red("✗")} ${finding.check}: ${finding.message}`);
        if (finding.action) output.line(`    ${finding.action}`);
      }
    }
  }
}

/** What is only to be seen from where the services are. */
function directChecks({ maxBackupAge }: DoctorOptions): (() => Promise<Finding[]>)[] {
  return [
    async () => {
      const { connectDirectly } = await import("../direct-connection.ts");
      const { checkCertificates, checkServices } = await import("../doctor/check-services.ts");
      const direct = connectDirectly();
      try {
        return [...(await checkServices(direct)), ...(await checkCertificates(direct))];
      } finally {
        direct.upstream.close();
      }
    },
    async () => (await import("../doctor/check-servers.ts")).checkServers({ maxBackupAge }),
  ];
}

function checkNode(): Finding[] {
  const healthy = Number(process.versions.node.split(".")[0]) >= 24;
  return [
    {
      check: "node",
      healthy,
      message: process.version,
      action: healthy ? "" : "Run `npm run setup`, and start the command through npx or npm.",
    },
  ];
}

async function checkDisk(): Promise<Finding[]> {
  const { HEADWATER_DATA_DIR } = readSettings({ HEADWATER_DATA_DIR: text().default("./data") });
  const disk = await statfs(HEADWATER_DATA_DIR).catch(() => undefined);
  // The command may well run on another machine than the server: then there is nothing to say.
  if (!disk) return [];
  const free = disk.bavail * disk.bsize;
  const healthy = free > freeBytesWanted;
  return [
    {
      check: "disk",
      healthy,
      message: `${(free / 1024 ** 3).toFixed(1)} GiB free at ${HEADWATER_DATA_DIR}`,
      action: healthy ? "" : "Free space, or name a folder on another disk in HEADWATER_DATA_DIR.",
    },
  ];
}

interface Health {
  readonly services?: readonly {
    readonly service: string;
    readonly status: string;
    readonly reason?: string;
    readonly message?: string;
    readonly action?: string;
  }[];
}

async function checkServer({ server }: ConnectionOptions): Promise<Finding[]> {
  let health: Health;
  try {
    const response = await fetch(new URL("/health/ready", server), { signal: AbortSignal.timeout(10_000) });
    health = (await response.json()) as Health;
  } catch (thrown) {
    return [
      {
        check: "server",
        healthy: false,
        message: `${server} does not answer: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
        action: "Start it with `npm start`, or name another with --server.",
      },
    ];
  }
  const waiting = (health.services ?? []).filter(({ status }) => status !== "ready");
  if (waiting.length === 0)
    return [{ check: "server", healthy: true, message: `${server} is ready`, action: "" }];
  return waiting.map(({ service, reason = "", message = "It is not ready.", action = "" }) => ({
    check: service,
    healthy: false,
    message: `${message} [${reason}]`,
    action: action || "Its log says more.",
  }));
}

async function checkPipeline({ client, signal }: Connection): Promise<Finding[]> {
  try {
    const { documents, deadLetters, lag } = await client.pipeline({ signal, timeoutMs: 10_000 });
    return [
      {
        check: "documents",
        healthy: true,
        message: `${documents.indexed} indexed, ${lag} waiting`,
        action: "",
      },
      {
        check: "dead letters",
        healthy: deadLetters === 0,
        message: String(deadLetters),
        action:
          deadLetters === 0
            ? ""
            : "`headwater dead-letters list` says why; after mending, `dead-letters replay`.",
      },
    ];
  } catch (thrown) {
    return [failedCheck("documents", thrown)];
  }
}

async function checkModels({ client, signal }: Connection): Promise<Finding[]> {
  try {
    const models = await client.models({ signal, timeoutMs: 10_000 });
    const names = models.map(({ name, isDefault }) => (isDefault ? `${name} (default)` : name));
    return [{ check: "language models", healthy: models.length > 0, message: names.join(", "), action: "" }];
  } catch (thrown) {
    return [failedCheck("language models", thrown)];
  }
}

/** What to do about what a repair has not mended. */
const actions: Readonly<Record<Discrepancy, string>> = {
  "orphaned passages": "`headwater doctor --repair` removes them.",
  "missing passages": "`headwater doctor --repair` makes them anew.",
  "incomplete passages": "`headwater doctor --repair` makes them anew.",
  "other version": "`headwater doctor --repair` makes them anew.",
  "missing original": "The original is gone and cannot be made again: push the documents again.",
  "missing text": "`headwater doctor --repair` extracts it anew.",
  "unused blob": "`headwater doctor --repair` removes them.",
};

async function checkStores({ client, output, signal }: Connection, repair: boolean): Promise<Finding[]> {
  let last: ReconcileProgress | undefined;
  try {
    for await (const progress of client.reconcile({ repair, signal })) {
      last = progress;
      if (output.interactive)
        process.stderr.write(`\r\u001b[KComparing the stores: ${progress.done}/${progress.total}`);
    }
  } catch (thrown) {
    return [failedCheck("stores", thrown)];
  } finally {
    if (output.interactive) process.stderr.write("\r\u001b[K");
  }
  const findings = last?.findings ?? [];
  if (findings.length === 0)
    return [{ check: "stores", healthy: true, message: "originals, catalog and indexes agree", action: "" }];
  return findings.map((finding) => describeDiscrepancy(finding, repair));
}

function describeDiscrepancy(
  { discrepancy, found, mended, examples }: ReconcileFinding,
  repair: boolean,
): Finding {
  const healthy = mended === found;
  const names = examples.map(({ tenant, id }) => `${tenant}/${id}`).join(", ");
  const more = found > examples.length ? ", …" : "";
  return {
    check: discrepancy,
    healthy,
    message: `${found}${repair ? `, mended ${mended}` : ""} (${names}${more})`,
    action: healthy ? "" : unmended(discrepancy, repair),
  };
}

function unmended(discrepancy: Discrepancy, repair: boolean): string {
  if (!repair || discrepancy === "missing original") return actions[discrepancy];
  return "`headwater dead-letters list` may say why; run it again if documents changed meanwhile.";
}
