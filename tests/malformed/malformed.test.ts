import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { HeadwaterProcess } from "@headwater/cli/headwater-process";
import { startHeadwater } from "@headwater/cli/headwater-process";
import { createHeadwaterClient } from "@headwater/client";
import { createNodeTransport } from "@headwater/client/node";
import { temporaryFolder } from "@headwater/testing";
import { eventually } from "../support/eventually.ts";
import { malformedInputs } from "./malformed-inputs.ts";
import type { SystemState } from "./system-state.ts";
import { isReady, readState } from "./system-state.ts";
import { Tally } from "./tally.ts";

/** `npm run test:malformed` sends 10,000. */
const count = Number(process.env["HEADWATER_MALFORMED_COUNT"] ?? 400);
const seed = Number(process.env["HEADWATER_MALFORMED_SEED"] ?? 20_261_121);
/** Inputs, or batches of documents, under way at once. */
const concurrency = 12;
/** How often, evenly over the run, what the process holds is read. */
const points = 10;
/** Failures that are told in full; the others are counted. */
const shown = 40;
/**
 * Files that may be open beyond those at the start: up to some 60 that are used for the first time, of PostgreSQL in the
 * process and of the index, which keeps some dozens for a while. What every 100th input leaks is beyond it.
 */
const spareFiles = 96;
/** What a caller leaves is closed when the idle time-out of the gateway comes, or at once. */
const spareSockets = 4;
/**
 * Bytes by which memory may grow from the middle of the run, when all caches are warm, to its end. What 5,000 inputs
 * leak at 50 kB each is beyond it; what the allocator and the caches of a warm process do stays below.
 */
const spareBytes = 256 * 1024 * 1024;

const dataFolder = await temporaryFolder();
let system: HeadwaterProcess;

before(async () => {
  system = await startHeadwater(dataFolder, {
    // A body that stops coming is given up within the test's patience. Not sooner: on a machine that is busy with other
    // tests the event loop may stand still for seconds, and then a time-out comes before bytes that are there.
    HEADWATER_GATEWAY_IDLE_TIMEOUT_MS: "5000",
  });
  await eventually("ready", async () => (await isReady(system)) || undefined, 120_000);
});
after(() => system.stop());

test(`${count} malformed inputs: a clear answer each, no crash, no leak`, async (t) => {
  await pushAndFind("before.txt", "Herons wait in shallow water.", "herons in shallow water");
  const start = await settledState();
  const tally = new Tally();
  const all = malformedInputs(count, seed);
  const curve: SystemState[] = [];
  let readings = 0;
  const started = performance.now();
  const seconds = () => Math.round((performance.now() - started) / 1000);
  const work = async () => {
    for (const input of all) {
      await tally.take(input, system);
      if (tally.total < (count * (readings + 1)) / points) continue;
      readings += 1;
      const state = await readState(system);
      curve.push(state);
      // At once: of a run that hangs nothing else is told.
      process.stderr.write(
        `${tally.total} of ${count}, ${tally.failures.length} wrong, ${seconds()} s: ${told(state)}\n`,
      );
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  for (const line of tally.lines()) t.diagnostic(line);
  for (const failure of tally.failures.slice(0, shown)) t.diagnostic(failure);

  const end = await settledState();
  for (const state of [start, end]) t.diagnostic(told(state));
  assert.equal(tally.failures.length, 0, `${tally.failures.length} without a clear answer; see above`);
  assert(tally.total >= count);
  assert.deepEqual(end.faults, [], "calls that ended with a fault of ours");
  assert(await isReady(system), "not ready");
  await pushAndFind("after.txt", "Kingfishers dive from a branch.", "kingfishers dive");

  assert(
    end.openFiles <= start.openFiles + spareFiles,
    `${start.openFiles}, then ${end.openFiles} open files`,
  );
  assert(end.sockets <= start.sockets + spareSockets, `${start.sockets}, then ${end.sockets} sockets`);
  const middle = curve[points / 2 - 1];
  assert(middle);
  const grown = end.residentBytes - middle.residentBytes;
  assert(grown <= spareBytes, `memory grew by ${grown} bytes in the second half`);
});

/** A good document goes in and is found. */
async function pushAndFind(id: string, content: string, query: string): Promise<void> {
  const transport = createNodeTransport({ address: system.address("gateway") });
  try {
    const client = createHeadwaterClient({ transport });
    const [receipt] = await Array.fromAsync(client.documents.push([{ id, content }]));
    assert.equal(receipt?.error, undefined);
    for await (const { state } of client.documents.watch({ ids: [id], untilSettled: true }))
      if (state === "failed") assert.fail(`${id} failed`);
    const found = new Set<string>();
    for await (const event of client.search(query))
      if (event.type === "hits") for (const { document } of event.hits) found.add(document.id);
    assert(found.has(id), `${id} is not found`);
  } finally {
    transport.close();
  }
}

/** Waits until nothing is under way and connections that were left are closed, then tells what is held. */
async function settledState(): Promise<SystemState> {
  let last = await readState(system);
  await eventually(
    "nothing under way",
    async () => {
      last = await readState(system);
      return last.busy.length === 0 || undefined;
    },
    60_000,
  ).catch((thrown: unknown) => {
    throw new Error(`still under way: ${last.busy.join(", ")}`, { cause: thrown });
  });
  return last;
}

function told(state: SystemState): string {
  const megabytes = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MiB`;
  return `${megabytes(state.residentBytes)} resident, ${megabytes(state.heapUsedBytes)} heap, ${state.openFiles} files, ${state.sockets} sockets`;
}
