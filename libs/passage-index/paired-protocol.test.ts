import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HeadwaterError } from "@headwater/errors";
import type { SampleDocument } from "./conformance-documents.ts";
import { dimensions, sample, vectorOf } from "./conformance-documents.ts";
import { documentKey } from "./document-key.ts";
import { PairedIndex } from "./paired-index.ts";
import { sweep } from "./paired-sweep.ts";
import type { PassageIndex } from "./passage-index.ts";
import { abandonedAfterMs, RevisionClock } from "./revision-clock.ts";
import type { Gate, Server } from "./testing/memory-engines.ts";
import { MemoryServers, serverDown } from "./testing/memory-engines.ts";
import type { Choose } from "./testing/schedule.ts";
import { randomly, Schedule } from "./testing/schedule.ts";

/*
 * Two engines and a ledger, each step of which is a step of its own: one passage, one entry. A writer is killed, cut off
 * or overtaken between any two of them.
 */

const tenant = "default";
const description = { generation: "g", fingerprint: { model: "m", chunking: "c" }, dimensions };
const freely: Gate = async () => {};
const later = () => Date.now() + 2 * abandonedAfterMs;

interface Scenario {
  readonly name: string;
  readonly before: readonly SampleDocument[];
  readonly after: readonly SampleDocument[];
  readonly work: (index: PassageIndex) => Promise<void>;
}

function replacing(
  name: string,
  before: readonly SampleDocument[],
  written: readonly SampleDocument[],
): Scenario {
  const ids = new Set(written.map(({ id }) => id));
  return {
    ...{ name, before, work: (index) => index.replace(written.map(sample)) },
    after: [...before.filter(({ id }) => !ids.has(id)), ...written],
  };
}

const old = { id: "a", texts: ["old 1", "old 2", "old 3"], version: 1 };
const scenarios: readonly Scenario[] = [
  replacing("a first document", [], [{ id: "a", texts: ["new 1", "new 2"] }]),
  replacing("one that shrinks", [old], [{ id: "a", texts: ["new 1"], version: 2 }]),
  replacing("one that grows", [old], [{ id: "a", texts: ["n1", "n2", "n3", "n4"], version: 2 }]),
  replacing("the same version with another text", [old], [{ id: "a", texts: ["x 1", "x 2"], version: 1 }]),
  replacing("one that loses its passages", [old], [{ id: "a", texts: [], version: 2 }]),
  replacing(
    "a batch",
    [old, { id: "b", texts: ["old b"] }, { id: "bystander", texts: ["old"] }],
    [
      { id: "a", texts: ["new a 1", "new a 2"], version: 2 },
      { id: "b", texts: [], version: 2 },
      { id: "c", texts: ["new c 1", "new c 2"] },
    ],
  ),
  {
    ...{ name: "a removal", before: [old, { id: "b", texts: ["old b"] }] },
    after: [{ id: "b", texts: ["old b"] }],
    work: (index) => index.remove([{ tenant, documentId: "a" }]),
  },
];

/** What a reader sees: texts by document. */
type View = Map<string, string[]>;

function expectedView(documents: readonly SampleDocument[]): View {
  return new Map(documents.flatMap(({ id, texts }) => (texts.length > 0 ? [[id, [...texts].sort()]] : [])));
}

/** In place of random numbers, so that no two writers of a test ever have the same. */
let numbers = 1000;
function distinct(): number {
  numbers += 1;
  return numbers;
}

function open(servers: MemoryServers, gate: Gate = freely): PairedIndex {
  const clock = new RevisionClock(Date.now, distinct);
  return new PairedIndex({
    ...{ description, readOnly: false, clock, onSearchFailed: () => {} },
    ...servers.connect(gate),
  });
}

async function viewOf(search: ReturnType<PassageIndex["searchLexical"]>): Promise<View> {
  const view: View = new Map();
  for (const { passage } of await search)
    view.set(passage.documentId, [...(view.get(passage.documentId) ?? []), passage.text].sort());
  return view;
}

/** What can be seen by words, by vectors, and by vectors while the ledger is down. */
async function views(servers: MemoryServers): Promise<[View, View, View]> {
  const index = open(servers);
  const blind = open(servers, async (server) => {
    if (server === "ledger") throw serverDown(server);
  });
  return [
    await viewOf(index.searchLexical("x", { tenant }, 100)),
    await viewOf(index.searchVector(vectorOf("x"), { tenant }, 100)),
    await viewOf(blind.searchVector(vectorOf("x"), { tenant }, 100)),
  ];
}

async function assertSeen(
  servers: MemoryServers,
  expected: readonly SampleDocument[],
  where: string,
): Promise<void> {
  for (const view of await views(servers))
    assert.deepEqual([...view].sort(), [...expectedView(expected)].sort(), where);
}

/** Each document as it was or as it is to be, in both engines the same. */
async function assertWhole(servers: MemoryServers, scenario: Scenario, where: string): Promise<void> {
  const before = expectedView(scenario.before);
  const after = expectedView(scenario.after);
  const [lexical, vector, blind] = await views(servers);
  assert.deepEqual(lexical, vector, where);
  for (const view of [lexical, blind]) {
    for (const id of new Set([...before.keys(), ...after.keys(), ...view.keys()])) {
      const seen = JSON.stringify(view.get(id));
      assert(
        [before, after].some((one) => JSON.stringify(one.get(id)) === seen),
        `${where}: ${id} ${seen}`,
      );
    }
  }
}

/** After housekeeping the engines hold what the ledger names, and nothing else. */
async function assertTidy(servers: MemoryServers, where: string): Promise<void> {
  await sweep({ ...servers.connect(freely), clock: new RevisionClock(later), dimensions }, later());
  const index = open(servers);
  const listed = await Array.fromAsync(index.listDocuments());
  const passages = listed.reduce((sum, { lexicalPassages }) => sum + lexicalPassages, 0);
  for (const { documentId, lexicalPassages, vectorPassages } of listed)
    assert(lexicalPassages > 0 && lexicalPassages === vectorPassages, `${where}: ${documentId}`);
  for (const held of [servers.lexical, servers.vector]) {
    assert.equal(held.size, passages, `${where}: orphans`);
    for (const { passage, revision } of held.values())
      assert.equal(servers.ledger.get(documentKey(passage))?.entry.revision, revision, where);
  }
  assert.equal(await index.count(), passages, where);
}

async function prepare({ before }: Scenario): Promise<MemoryServers> {
  const servers = new MemoryServers();
  if (before.length > 0) await open(servers).replace(before.map(sample));
  return servers;
}

interface Fault {
  readonly gate: Gate;
  /** Resolves when the writer is dead. */
  readonly killed: Promise<void>;
  happened(): boolean;
}

type FaultAt = (step: number) => Fault;

/** The process dies at this step: nothing that it waits for ever comes. */
const kill: FaultAt = (at) => {
  const { promise: killed, resolve } = Promise.withResolvers<void>();
  let step = 0;
  return {
    ...{ killed, happened: () => step >= at },
    gate: async () => {
      step += 1;
      if (step < at) return;
      resolve();
      await new Promise(() => {});
    },
  };
};

/** A server goes down at this step, and stays down; what it had done by then is done, though nobody is told. */
const goDown =
  (down: Server): FaultAt =>
  (at) => {
    let step = 0;
    return {
      ...{ killed: new Promise(() => {}), happened: () => step >= at },
      gate: async (server) => {
        if (server === down) step += 1;
        if (server === down && step >= at) throw serverDown(server);
      },
    };
  };

/** One answer, or one request, gets lost. */
const loseOne: FaultAt = (at) => {
  let step = 0;
  return {
    ...{ killed: new Promise(() => {}), happened: () => step >= at },
    gate: async (server) => {
      step += 1;
      if (step === at) throw serverDown(server);
    },
  };
};

const faults: readonly (readonly [string, FaultAt])[] = [
  ["killed", kill],
  ["Elasticsearch goes down", goDown("lexical")],
  ["Qdrant goes down", goDown("vector")],
  ["the ledger goes down", goDown("ledger")],
  ["an answer gets lost", loseOne],
];

describe("the paired index, with faults between any two steps", () => {
  for (const scenario of scenarios) {
    for (const [name, faultAt] of faults) {
      test(`${scenario.name}: ${name}`, async () => {
        let steps = 0;
        for (let at = 1; ; at += 1) {
          const servers = await prepare(scenario);
          const fault = faultAt(at);
          const outcome = await Promise.race([
            scenario.work(open(servers, fault.gate)).then(
              () => "done",
              (thrown: unknown) => thrown,
            ),
            fault.killed.then(() => "killed"),
          ]);
          const where = `at step ${at}: ${String(outcome)}`;
          if (outcome === "done") await assertSeen(servers, scenario.after, where);
          else await assertWhole(servers, scenario, where);
          if (outcome instanceof Error) assert(HeadwaterError.from(outcome).transient, where);
          if (!fault.happened()) break;
          steps = at;
          if (at % 2 === 0) {
            // Housekeeping finds what is left, whether the batch comes again or not.
            await assertTidy(servers, where);
            await assertWhole(servers, scenario, where);
          }
          await scenario.work(open(servers));
          await assertSeen(servers, scenario.after, `${where}, then again`);
          await assertTidy(servers, where);
          await assertSeen(servers, scenario.after, `${where}, then again and swept`);
        }
        assert(steps >= 2, `${steps} steps`);
      });
    }
  }
});

/** How many passages each version of a document has: a reader must see all of them. */
const sizes: readonly number[] = [0, 2, 3, 1];

function version(id: string, number: number): SampleDocument {
  const texts = Array.from({ length: sizes[number] ?? 0 }, (_, at) => `version ${number} ${at}`);
  return { id, texts, version: number };
}

interface Read {
  readonly from: number;
  readonly to: number;
  readonly view: View;
}

/** What was read of each document is what the ledger named at one moment between the read's beginning and its end. */
function assertReads(servers: MemoryServers, reads: readonly Read[], where: string): void {
  for (const { from, to, view } of reads) {
    for (const id of ["a", "b"]) {
      const changes = servers.history.filter(({ key }) => key === `${tenant}/${id}`);
      const possible = changes
        .filter(({ at }, place) => at <= to && (changes[place + 1]?.at ?? Number.POSITIVE_INFINITY) >= from)
        .map(({ entry }) => (entry.passages > 0 ? version(id, entry.version).texts : []));
      if ((changes[0]?.at ?? Number.POSITIVE_INFINITY) >= from) possible.push([]);
      const seen = JSON.stringify(view.get(id) ?? []);
      assert(
        possible.some((texts) => JSON.stringify(texts) === seen),
        `${where}: ${id} is ${seen}, and was ${JSON.stringify(possible)}`,
      );
    }
  }
}

/** Two writers, two readers and, where asked for, a sweep that thinks everybody dead, in an order that is chosen. */
async function interleave(choose: Choose, options: { sweeps: boolean; removes: boolean }, where: string) {
  const servers = new MemoryServers();
  await open(servers).replace([sample(version("a", 1))]);
  const schedule = new Schedule();
  const failed: (() => Promise<void>)[] = [];
  const reads: Read[] = [];

  const write = async (actor: string, work: (index: PassageIndex) => Promise<void>) => {
    try {
      await work(open(servers, schedule.gate(actor)));
    } catch (thrown) {
      assert.equal(HeadwaterError.from(thrown).reason, "HW_INDEX_CONTENDED", where);
      failed.push(() => work(open(servers)));
    }
  };
  const read = async (actor: string, search: (index: PassageIndex) => Promise<View>) => {
    // One that has searched before, so that it knows a place in the ledger's order.
    const index = open(servers, schedule.gate(actor));
    for (let round = 0; round < 2; round += 1) {
      const from = servers.now();
      const view = await search(index);
      reads.push({ from, to: servers.now(), view });
    }
  };
  const actors = [
    write("A", (index) => index.replace([version("a", 2), version("b", 2)].map(sample))),
    write("B", (index) =>
      options.removes
        ? index.remove([
            { tenant, documentId: "a" },
            { tenant, documentId: "b" },
          ])
        : index.replace([version("b", 3), version("a", 3)].map(sample)),
    ),
    read("lexical", (index) => viewOf(index.searchLexical("x", { tenant }, 100))),
    read("vector", (index) => viewOf(index.searchVector(vectorOf("x"), { tenant }, 100))),
  ];
  if (options.sweeps) {
    const parts = servers.connect(schedule.gate("sweep"));
    actors.push(sweep({ ...parts, clock: new RevisionClock(later), dimensions }, later()));
  }
  await schedule.run(choose);
  await Promise.all(actors);
  for (const again of failed) await again();
  assertReads(servers, reads, where);

  const named = new Map(servers.history.map(({ key, entry }) => [key, entry]));
  const last = expectedView(
    ["a", "b"].map((id) => {
      const entry = named.get(`${tenant}/${id}`);
      return version(id, entry && entry.passages > 0 ? entry.version : 0);
    }),
  );
  for (const view of await views(servers)) assert.deepEqual([...view].sort(), [...last].sort(), where);
  await assertTidy(servers, where);
  return { contended: failed.length };
}

describe("the paired index, with writers and readers between any two steps", () => {
  for (const removes of [false, true]) {
    const what = removes ? "a writer and a remover" : "two writers";

    test(`${what} who overtake each other at every step`, async () => {
      for (let i = 0; i <= 30; i += 1) {
        for (let j = 0; j <= 30; j += 3) {
          const left = new Map([
            ["A", i],
            ["B", j],
          ]);
          const choose: Choose = (actors) => {
            const [current] = ["A", "B"].filter((one) => (left.get(one) ?? 0) > 0 && actors.includes(one));
            if (current) left.set(current, (left.get(current) ?? 0) - 1);
            return current ?? actors[0] ?? "";
          };
          await interleave(choose, { removes, sweeps: false }, `A ${i}, B ${j}`);
        }
      }
    });

    test(`${what} and two readers in any order`, async () => {
      for (let seed = 1; seed <= 400; seed += 1)
        await interleave(randomly(seed), { removes, sweeps: false }, `seed ${seed}`);
    });

    test(`${what} and two readers while housekeeping takes them for dead`, async () => {
      let contended = 0;
      for (let seed = 1; seed <= 400; seed += 1)
        contended += (await interleave(randomly(seed), { removes, sweeps: true }, `seed ${seed}`)).contended;
      assert(contended > 0, "no writer was ever taken for dead");
    });
  }
});
