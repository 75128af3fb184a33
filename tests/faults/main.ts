/**
 * `npm run test:faults -- [--runs 20] [--documents 40] [--seed 1] [--write] [case …]`: puts an installation on real
 * servers through faults and prints a table, which --write puts into docs/reliability.md, row by row. Needs the addresses of the servers, as `npm run test:real` does, and for
 * each server that is to be hurt a command that starts it again: KAFKA_START, ELASTICSEARCH_START, POSTGRES_START.
 */
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { missingServers } from "../support/real-servers.ts";
import { faultCases } from "./cases.ts";
import { startCommands } from "./installation.ts";
import { insertRows, toRows, toTable } from "./report.ts";
import type { FaultReport } from "./run-fault-case.ts";
import { runFaultCase } from "./run-fault-case.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "20" },
    documents: { type: "string", default: "40" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    write: { type: "boolean", default: false },
  },
});
/** Each case has seeds of its own; a run that failed is repeated alone, with the seed that it printed. */
const seedsOfCase = 1000;
const say = (message: string) => process.stderr.write(`${new Date().toISOString()} ${message}\n`);

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => interrupted.abort());

const missing = missingServers();
if (missing.length > 0) throw new Error(`not set: ${missing.join(", ")}`);
const unknown = positionals.filter((name) => !faultCases.some((one) => one.name === name));
if (unknown.length > 0)
  throw new Error(`no such case: ${unknown}; there are ${faultCases.map(({ name }) => name).join(", ")}`);

const [runs, documents, seed] = [values.runs, values.documents, values.seed].map(Number);
const chosen = faultCases.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const left: string[] = [];
const reports: FaultReport[] = [];
for (const [place, faultCase] of chosen.entries()) {
  if (interrupted.signal.aborted) break;
  const { server, name } = faultCase;
  const variable = server && startCommands[server].start;
  if (variable && !process.env[variable]) {
    left.push(`${name} (${variable} is not set)`);
    say(`LEFT OUT: ${left.at(-1)}`);
    continue;
  }
  const options = {
    runs: runs ?? 20,
    documents: documents ?? 40,
    seed: (seed ?? 1) + place * seedsOfCase,
    onProgress: say,
    signal: interrupted.signal,
  };
  reports.push(await runFaultCase(faultCase, options));
}

const rows = toRows(reports, new Date().toISOString().slice(0, 10));
process.stdout.write(`${toTable(rows)}\n`);
for (const reason of left) process.stdout.write(`\nLeft out: ${reason}\n`);
if (values.write) {
  const page = new URL("../../docs/reliability.md", import.meta.url);
  const order = faultCases.map(({ name }) => name);
  await writeFile(page, insertRows(await readFile(page, "utf8"), rows, order));
}
if (reports.some(({ failures }) => failures.length > 0)) process.exitCode = 1;
