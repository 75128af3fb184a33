/**
 * Measures memory's decisions on labelled lives, with the embedding model that comes with Headwater.
 *
 *   node services/generation/memory/evaluation/evaluate.ts [development | test] [--explain]
 *
 * Prints precision and recall of each kind of decision; with --explain also every message and how it was weighed.
 */
import { parseArgs } from "node:util";
import { openPgliteRecordStore } from "@headwater/record-store/embedded";
import { startEmbeddingProcess } from "@headwater/testing";
import { migrations } from "../../migrations.ts";
import type { Outcome } from "./lives.ts";
import { live, qualityOf, readLives } from "./lives.ts";
import { createMemoryWorld } from "./world.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { explain: { type: "boolean", default: false }, worker: { type: "string" } },
});
const [part = "test"] = positionals;
if (part !== "development" && part !== "test") throw new Error("name development or test");

const minuteMs = 60_000;
const worker = values.worker ? undefined : await startEmbeddingProcess();
const records = await openPgliteRecordStore({ folder: undefined, schema: "generation" });
const world = createMemoryWorld(records, values.worker ?? worker?.address ?? "");
try {
  await records.migrate(migrations);
  const outcomes: Outcome[] = [];
  for (const life of await readLives(part))
    outcomes.push(...(await live(life, world.memories, () => world.pass(minuteMs))));
  if (values.explain) for (const outcome of outcomes) process.stdout.write(`${explain(outcome)}\n`);
  process.stdout.write(`${part}: ${outcomes.length} messages\n`);
  for (const kind of ["stored", "repeated", "updated", "skipped"] as const) {
    const { precision, recall, expected } = qualityOf(outcomes, kind);
    process.stdout.write(
      `${kind.padEnd(9)} precision ${precision.toFixed(3)}  recall ${recall.toFixed(3)}  of ${expected}\n`,
    );
  }
} finally {
  world.close();
  await records.close();
  await worker?.close();
}

function explain({ turn, did, rightMemory, decisions }: Outcome): string {
  const mark = did === turn.expects && rightMemory ? " " : "!";
  const weighed = decisions.map(
    ({ surprise, parts }) =>
      `${surprise.toFixed(2)} = ${["distance", "density", "momentary", "momentum"].map((part) => `${part} ${(parts[part] ?? 0).toFixed(2)}`).join(", ")}`,
  );
  return `${mark} ${turn.expects} ${did} | ${turn.says} | ${weighed.join("; ") || "no statement"}`;
}
