import { statfs } from "node:fs/promises";
import { HeadwaterClientError } from "@headwater/client";
import { readSettings, text } from "@headwater/settings";
import type { Command } from "commander";
import type { Connection, ConnectionOptions } from "../connection.ts";
import { withClient, withConnection } from "../connection.ts";
import { exitCode } from "../exit-code.ts";
import { green, red } from "../terminal/output.ts";

/** Under this, indexing soon fails; the bundled index needs about 4 KB a passage. */
const freeBytesWanted = 1024 ** 3;

interface Finding {
  readonly check: string;
  readonly healthy: boolean;
  readonly message: string;
  /** What to do; empty where all is well. */
  readonly action: string;
}

export function addDoctorCommand(program: Command): void {
  withConnection(program.command("doctor").description("find out what is wrong and what to do")).action(
    (options: ConnectionOptions) => withClient(options, (connection) => doctor(options, connection)),
  );
}

async function doctor(options: ConnectionOptions, connection: Connection): Promise<void> {
  const { output } = connection;
  const checks = [
    () => checkNode(),
    () => checkDisk(),
    () => checkServer(options),
    () => checkPipeline(connection),
    () => checkModels(connection),
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
  readonly waiting?: readonly {
    readonly service: string;
    readonly reason: string;
    readonly message: string;
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
  const waiting = health.waiting ?? [];
  if (waiting.length === 0)
    return [{ check: "server", healthy: true, message: `${server} is ready`, action: "" }];
  return waiting.map(({ service, reason, message }) => ({
    check: service,
    healthy: false,
    message: `${message} [${reason}]`,
    action: "Its log says more.",
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

function failedCheck(check: string, thrown: unknown): Finding {
  const error = HeadwaterClientError.from(thrown);
  return { check, healthy: false, message: `${error.message} [${error.reason}]`, action: error.action };
}
