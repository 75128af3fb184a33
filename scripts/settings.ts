/**
 * Writes docs/settings.md from the settings that the services themselves read. `--check` fails where the page is not
 * current, and names each setting that says nothing of itself.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { backupSettings } from "@headwater/cli/backup-settings";
import { embeddingWorkerSettings } from "@headwater/embedding-worker/config";
import { gatewaySettings } from "@headwater/gateway/config";
import { generationSettings } from "@headwater/generation/config";
import { ingestSettings } from "@headwater/ingest/config";
import { rpcSettings, tlsSettings } from "@headwater/rpc";
import { scalerSettings } from "@headwater/scaler/config";
import { searchSettings } from "@headwater/search/config";
import { processSettings } from "@headwater/service";
import { z } from "zod";

const root = join(import.meta.dirname, "..");
const page = join(root, "docs", "settings.md");

const groups: readonly (readonly [string, z.ZodRawShape])[] = [
  ["Every service", processSettings],
  ["Every gRPC server and client", { ...rpcSettings, ...tlsSettings }],
  ["ingest", ingestSettings],
  ["embedding-worker", embeddingWorkerSettings],
  ["search", searchSettings],
  ["generation", generationSettings],
  ["gateway", gatewaySettings],
  ["headwater backup and restore", backupSettings],
  ["scaler", scalerSettings],
];

const lines = [
  "# Settings",
  "",
  "Environment variables, checked at start-up; every mistake is told at once, with the name, the value and what is",
  "allowed. Written by `node scripts/settings.ts` from what the services read; CI checks that it is current.",
];
const silent: string[] = [];
const told = new Set<string>();
for (const [title, shape] of groups) {
  const rows = Object.entries(shape)
    .filter(([name]) => !told.has(name))
    .map(([name, schema]) => {
      told.add(name);
      const description = schema instanceof z.ZodType ? schema.description : undefined;
      if (description === undefined) silent.push(name);
      return `| \`${name}\` | ${defaultOf(schema)} | ${(description ?? "").replaceAll("|", "\\|")} |`;
    });
  lines.push("", `## ${title}`, "", "| variable | default | what it sets |", "|---|---|---|", ...rows);
}
const text = `${lines.join("\n")}\n`;

if (process.argv.includes("--check")) {
  if (silent.length > 0) fail(`these settings have no description: ${silent.join(", ")}`);
  if (readFileSync(page, "utf8") !== text)
    fail("docs/settings.md is not current: run `node scripts/settings.ts`");
} else writeFileSync(page, text);

function defaultOf(schema: unknown): string {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    // A folder that comes with the checkout is written as from its root: the page is the same on every machine.
    return `\`${String(schema.def.defaultValue).replace(`${root}/`, "")}\``;
  }
  return "";
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
