import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HeadwaterError } from "@headwater/errors";
import type { SampleDocument } from "./conformance-documents.ts";
import { dimensions, sample, vectorOf } from "./conformance-documents.ts";
import { sweep } from "./paired-sweep.ts";
import type { PassageIndex } from "./passage-index.ts";
import { RevisionClock } from "./revision-clock.ts";
import { MemoryServers } from "./testing/memory-engines.ts";
import type { View } from "./testing/paired-world.ts";
import { assertTidy, expectedView, later, open, tenant, viewOf, views } from "./testing/paired-world.ts";
import type { Choose } from "./testing/schedule.ts";
import { randomly, Schedule } from "./testing/schedule.ts";

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
