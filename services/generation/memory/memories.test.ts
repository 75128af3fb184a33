import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { createExtractiveModel } from "@headwater/language-model";
import { MemoryAction } from "@headwater/proto/services/headwater/v1/memory";
import type { RecordStore } from "@headwater/record-store";
import { openPgliteRecordStore } from "@headwater/record-store/embedded";
import { startEmbeddingProcess, temporaryFolder } from "@headwater/testing";
import { migrations } from "../migrations.ts";
import { openMemoryRecords } from "../testing/memory-records.ts";
import type { Owner } from "../turns/turn.ts";
import { live, qualityOf, readLives } from "./evaluation/lives.ts";
import type { MemoryWorld } from "./evaluation/world.ts";
import { createMemoryWorld } from "./evaluation/world.ts";
import { toBytes } from "./vectors.ts";

const worker = await startEmbeddingProcess();
after(() => worker.close());
const records = await openMemoryRecords();

const dayMs = 86_400_000;
const model = createExtractiveModel({ rankSentences: async () => undefined });
const { signal } = new AbortController();
let owners = 0;

function newOwner(): Owner {
  owners += 1;
  return { tenant: "default", owner: `owner-${owners}` };
}

function newWorld(...overrides: [Parameters<typeof createMemoryWorld>[2]] | []): MemoryWorld {
  const world = createMemoryWorld(records, worker.address, ...overrides);
  after(() => world.close());
  return world;
}

const tell = ({ memories }: MemoryWorld, owner: Owner, message: string, conversationId = "") =>
  memories.observe({ ...owner, id: "turn", conversationId, message, answer: "", model }, signal);
const texts = async ({ memories }: MemoryWorld, owner: Owner) =>
  (await memories.list(owner, 200, undefined)).map(({ text }) => text).sort();

test("a life: what is new is kept, repeated or not, updated, and small talk is skipped", async () => {
  for (const part of ["development", "test"] as const) {
    const world = newWorld();
    const outcomes = (
      await Array.fromAsync(await readLives(part), (life) =>
        live(life, world.memories, () => world.pass(60_000)),
      )
    ).flat();
    assert(outcomes.length >= 100);
    for (const kind of ["stored", "repeated", "updated", "skipped"] as const) {
      const { precision, recall } = qualityOf(outcomes, kind);
      assert(precision >= 0.8 && recall >= 0.8, `${part}, ${kind}: precision ${precision}, recall ${recall}`);
    }
  }
});

test("what was contradicted is gone, what took its place is told with its conversation, and each part of the score", async () => {
  const world = newWorld();
  const owner = newOwner();
  const [stored] = await tell(world, owner, "My team has six people.");
  const [repeated] = await tell(world, owner, "There are six people in my team.");
  const [updated] = await tell(world, owner, "My team has eight people now.", "conversation");
  assert.deepEqual(
    [stored?.action, repeated?.action, updated?.action],
    [MemoryAction.STORED, MemoryAction.REPEATED, MemoryAction.UPDATED],
  );
  assert(stored && updated);
  assert.deepEqual([repeated?.memoryId, updated.memoryId], [stored.memoryId, stored.memoryId]);
  assert.deepEqual(Object.keys(stored.parts), ["distance", "density", "momentary", "momentum"]);
  assert(stored.surprise > stored.threshold && stored.surprise > updated.surprise);
  const [memory, ...others] = await world.memories.list(owner, 10, undefined);
  assert.deepEqual(others, []);
  assert.deepEqual([memory?.text, memory?.conversationId], ["My team has eight people now.", "conversation"]);
});

test("a turn recalls what its question is about, which makes that last longer", async () => {
  const world = newWorld();
  const owner = newOwner();
  await tell(world, owner, "I am allergic to peanuts. My car is a red Fiat Panda. Our office is in Lisbon.");
  world.pass(30 * dayMs);
  const [before] = await world.memories.search(owner, "food allergies", 1, signal);
  const [nearest] = await world.memories.recall(owner, "Which snacks can I eat with my allergy?", signal);
  assert.equal(nearest?.text, "I am allergic to peanuts.");
  const [after] = await world.memories.search(owner, "food allergies", 1, signal);
  assert(before && after);
  assert.deepEqual([before.recallCount, after.recallCount], [0, 1]);
  assert(after.strength > before.strength && after.similarity > 0.5);
  assert.deepEqual(await world.memories.recall(newOwner(), "Which snacks can I eat?", signal), []);
});

test("what nobody recalls fades, is new again, and goes", async () => {
  const world = newWorld({ halfLifeMs: 10 * dayMs });
  const owner = newOwner();
  const [first] = await tell(world, owner, "I collect old postcards.");
  world.pass(30 * dayMs);
  const [memory] = await world.memories.list(owner, 1, undefined);
  assert(
    memory && Math.abs(memory.strength - (0.5 + 0.5 * memory.surprise) / 8) < 1e-9,
    String(memory?.strength),
  );
  world.pass(30 * dayMs);
  await world.memories.sweep();
  assert.deepEqual(await texts(world, owner), []);
  const [again] = await tell(world, owner, "I collect old postcards.");
  assert.equal(again?.action, MemoryAction.STORED);
  assert.equal(again?.surprise, first?.surprise);
});

test("secrets are neither kept nor told again", async () => {
  const world = newWorld();
  const owner = newOwner();
  const decisions = await tell(world, owner, "My password is hunter2. I live in Ghent.");
  assert.deepEqual(
    decisions.map(({ action, statement }) => [action, statement.includes("hunter2")]),
    [
      [MemoryAction.SKIPPED, false],
      [MemoryAction.STORED, false],
    ],
  );
  assert.deepEqual(await texts(world, owner), ["I live in Ghent."]);
  const [memory] = await world.memories.list(owner, 1, undefined);
  await assert.rejects(world.memories.correct(owner, memory?.id ?? "", "My PIN is 4711.", signal), {
    reason: "HW_MEMORY_SECRET",
  });
});

test("a correction is what is found from then on", async () => {
  const world = newWorld();
  const owner = newOwner();
  const [told] = await tell(world, owner, "My sister lives in Rome.");
  await world.memories.correct(owner, told?.memoryId ?? "", "My sister lives in Oslo.", signal);
  const [found] = await world.memories.search(owner, "Who lives in Norway?", 1, signal);
  assert.equal(found?.text, "My sister lives in Oslo.");
  const strangers = world.memories.correct(newOwner(), told?.memoryId ?? "", "Mine.", signal);
  await assert.rejects(strangers, { reason: "HW_MEMORY_NOT_FOUND" });
});

test("vectors of another model are made anew before they are compared", async () => {
  const world = newWorld();
  const owner = newOwner();
  await tell(world, owner, "I am allergic to peanuts.");
  const of = [owner.tenant, owner.owner];
  await records.query(
    "UPDATE memories SET fingerprint = 'old', vector = $3 WHERE tenant = $1 AND owner = $2",
    [...of, toBytes(new Float32Array(4))],
  );
  const [decision] = await tell(world, owner, "I have a peanut allergy.");
  assert.equal(decision?.action, MemoryAction.REPEATED);
  const rows = await records.query<{ fingerprint: string; vector: Uint8Array }>(
    "SELECT fingerprint, vector FROM memories WHERE tenant = $1 AND owner = $2",
    of,
  );
  assert(rows[0] && rows[0].fingerprint !== "old" && rows[0].vector.byteLength > 100);
});

test("two replicas that are told the same at once keep it once", async () => {
  const replicas = [newWorld(), newWorld(), newWorld()];
  const owner = newOwner();
  const told = await Promise.all(
    replicas.map((replica) => tell(replica, owner, "I keep bees in the garden.")),
  );
  const actions = told.flat().map(({ action }) => action);
  assert.equal(actions.filter((action) => action === MemoryAction.STORED).length, 1);
  assert.equal(actions.filter((action) => action === MemoryAction.REPEATED).length, 2);
  assert.deepEqual(await texts(replicas[0] as MemoryWorld, owner), ["I keep bees in the garden."]);
});

test("what is forgotten is gone from every table, and from the files of its tables", async () => {
  const folder = await temporaryFolder();
  const stored = await openPgliteRecordStore({ folder, schema: "generation" });
  const world = createMemoryWorld(stored, worker.address);
  after(() => world.close());
  await stored.migrate(migrations);
  const owner = newOwner();
  const stranger = newOwner();
  const [secretive] = await tell(world, owner, "My favourite composer is Xenakis.");
  await tell(world, owner, "My allotment is behind Quillfeather station.");
  await tell(world, stranger, "I play chess with Zbigniew.");
  const [{ vector = new Uint8Array() } = {}] = await stored.query<{ vector: Uint8Array }>(
    "SELECT vector FROM memories WHERE id = $1",
    [secretive?.memoryId ?? ""],
  );
  const traces = ["Xenakis", "Quillfeather", Buffer.from(vector).toString("hex")];
  const seen = await everythingIn(stored);
  for (const trace of [...traces, "Zbigniew"]) assert(seen.includes(trace), trace);

  await world.memories.forget(owner, secretive?.memoryId ?? "");
  assert(!(await everythingIn(stored)).includes("Xenakis"));
  assert.equal(await world.memories.forgetAll(owner), 1);
  const left = await everythingIn(stored);
  for (const trace of traces) assert(!left.includes(trace), trace);
  assert(left.includes("Zbigniew"));
  assert.deepEqual(await world.memories.search(owner, "Who composes?", 5, signal), []);

  await stored.query("VACUUM FULL memories");
  await stored.query("CHECKPOINT");
  await stored.close();
  const tables = join(folder, "postgres", "base");
  let known = false;
  for (const entry of await readdir(tables, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const bytes = await readFile(join(entry.parentPath, entry.name));
    for (const text of ["Xenakis", "Quillfeather"])
      assert(!bytes.includes(text), `${text} is in ${entry.name}`);
    assert(vector.byteLength > 0 && !bytes.includes(Buffer.from(vector)), `a vector is in ${entry.name}`);
    known ||= bytes.includes("Zbigniew");
  }
  assert(known, "the search would not have found anything");
});

/** All rows of all tables of the schema, as text. */
async function everythingIn(store: RecordStore): Promise<string> {
  const tables = await store.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'generation'",
  );
  assert(tables.length > 3);
  const rows: string[] = [];
  for (const { name } of tables)
    for (const { row } of await store.query<{ row: string }>(`SELECT t::text AS row FROM "${name}" AS t`))
      rows.push(row);
  return rows.join("\n");
}
