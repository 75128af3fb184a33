import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HeadwaterError } from "@headwater/errors";
import type { SampleDocument } from "./conformance-documents.ts";
import { sample } from "./conformance-documents.ts";
import type { PassageIndex } from "./passage-index.ts";
import type { Gate, Server } from "./testing/memory-engines.ts";
import { MemoryServers, serverDown } from "./testing/memory-engines.ts";
import { assertSeen, assertTidy, expectedView, open, tenant, views } from "./testing/paired-world.ts";

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
