/**
 * How long it takes to recall and to weigh a statement, by the number of an owner's memories.
 *
 *   node services/generation/memory/evaluation/scan-bench.ts [memories ...]
 *
 * On the embedded record store, in memory, and with the bundled model; memories are random directions.
 */
import { randomUUID } from "node:crypto";
import { createExtractiveModel } from "@headwater/language-model";
import { openPgliteRecordStore } from "@headwater/record-store/embedded";
import { startEmbeddingProcess } from "@headwater/testing";
import { median } from "@headwater/testing/median";
import { SeededRandom } from "@headwater/testing/seeded-random";
import { migrations } from "../../migrations.ts";
import { MemoryStore } from "../memory-store.ts";
import { toBytes } from "../vectors.ts";
import { createMemoryWorld, startOfTime } from "./world.ts";

const sizes = process.argv.slice(2).map(Number);
const rounds = 9;
const dimensions = 384;
const random = new SeededRandom(7);
const model = createExtractiveModel({ rankSentences: async () => undefined });
const { signal } = new AbortController();

const worker = await startEmbeddingProcess();
const records = await openPgliteRecordStore({ folder: undefined, schema: "generation" });
const world = createMemoryWorld(records, worker.address, { maxPerOwner: 10_000 });
const store = new MemoryStore(records, world.config);
try {
  await records.migrate(migrations);
  for (const size of sizes.length > 0 ? sizes : [100, 1000, 2000, 10_000]) {
    const owner = { tenant: "default", owner: String(size) };
    await world.memories.remember(owner, "I live in Ghent.", { conversationId: "", model }, signal);
    const { records: kept } = await store.read(owner);
    const fingerprint = kept[0]?.fingerprint ?? "";
    for (let at = 1; at < size; at += 1)
      await records.query(
        `INSERT INTO memories VALUES ($1, $2, $3, 'A memory of some fifty characters, as most are.', $4, $5, 0.5, 0.7, $6, 0, '', $6, $6, 0.5)`,
        [randomUUID(), owner.tenant, owner.owner, toBytes(direction()), fingerprint, new Date(startOfTime)],
      );
    const read = await timed(() => store.read(owner));
    const recall = await timed(() => world.memories.recall(owner, "Where do I live?", signal));
    const weigh = await timed(() =>
      world.memories.remember(owner, "I moved to Bruges.", { conversationId: "", model }, signal),
    );
    process.stdout.write(
      `${String(size).padStart(6)} memories: read ${read} ms, recall ${recall} ms, weigh and write ${weigh} ms\n`,
    );
  }
} finally {
  world.close();
  await records.close();
  await worker.close();
}

function direction(): Float32Array {
  const vector = Float32Array.from({ length: dimensions }, () => random.next() - 0.5);
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/** Median in milliseconds. */
async function timed(work: () => Promise<unknown>): Promise<string> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return median(times).toFixed(0);
}
