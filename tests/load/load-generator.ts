/**
 * Body of the generator's process: `node load-generator.ts host:port`, with phases as messages. A process of its own, so
 * that it neither slows the servers' event loops nor is slowed by them.
 */
import { setTimeout as delay } from "node:timers/promises";
import { benchTexts } from "@headwater/cli/bench/texts";
import type { NewDocument } from "@headwater/client";
import { createHeadwaterClient } from "@headwater/client";
import { createNodeTransport } from "@headwater/client/node";
import { percentile } from "@headwater/testing/percentile";
import { SeededRandom } from "@headwater/testing/seeded-random";
import type { LoadPhase, Observation, PhaseMessage, PhaseResult, ResultMessage } from "./load-phase.ts";
import { prefer } from "./priority.ts";
import { openSearchCallers } from "./search-callers.ts";

/** One search in so many goes over gRPC, the others over HTTP. */
const grpcEvery = 10;
/** Words of a query; they stand side by side in some document. */
const queryWords = 6;

prefer(process.pid);
const address = process.argv[2] ?? "";
const callers = await openSearchCallers(address);
const transport = createNodeTransport({ address });
const client = createHeadwaterClient({ transport });
const texts = await benchTexts(2000, undefined);
const random = new SeededRandom(4);
let searches = 0;
let documents = 0;

process.on("message", ({ id, phase }: PhaseMessage) => {
  run(phase).then(
    (result) => answer({ id, result }),
    (thrown: unknown) => answer({ id, failure: String(thrown) }),
  );
});
process.once("disconnect", () => {
  transport.close();
  void callers.close();
});
answer({ id: 0 });

function answer(message: ResultMessage): void {
  process.send?.(message);
}

async function run(phase: LoadPhase): Promise<PhaseResult> {
  await delay(phase.startAfterMs ?? 0);
  if (phase.kind === "push") return push(phase.documents, phase.perSecond);
  return phase.kind === "callers" ? askInTurns(phase.callers, phase.seconds) : askAtRate(phase);
}

async function push(count: number, perSecond: number | undefined): Promise<PhaseResult> {
  const started = performance.now();
  async function* some(): AsyncGenerator<NewDocument> {
    for (let index = 0; index < count; index += 1) {
      if (perSecond !== undefined) await until(started + (index / perSecond) * 1000);
      documents += 1;
      const text = texts[documents % texts.length] ?? "";
      yield { id: `load/${documents}`, mediaType: "text/plain", content: `${documents}. ${text}` };
    }
  }
  let pushed = 0;
  for await (const { error } of client.documents.push(some())) {
    if (error) throw new Error(error.message);
    pushed += 1;
  }
  return { observations: [], pushed, latenessMs: 0 };
}

async function askInTurns(count: number, seconds: number): Promise<PhaseResult> {
  const started = performance.now();
  const end = started + seconds * 1000;
  const observations: Observation[] = [];
  const caller = async () => {
    while (performance.now() < end) {
      const observation = await ask(started);
      observations.push(observation);
      // Who was refused comes back no sooner than a caller who heeds the hint would.
      if (observation.outcome === "refused") await delay(1000);
    }
  };
  await Promise.all(Array.from({ length: count }, caller));
  return { observations, pushed: 0, latenessMs: 0 };
}

async function askAtRate({
  perSecond,
  seconds,
}: {
  perSecond: number;
  seconds: number;
}): Promise<PhaseResult> {
  const started = performance.now();
  const asked: Promise<Observation>[] = [];
  const lateness: number[] = [];
  for (let index = 0; index < perSecond * seconds; index += 1) {
    const due = started + (index / perSecond) * 1000;
    await until(due);
    lateness.push(performance.now() - due);
    asked.push(ask(started));
  }
  return { observations: await Promise.all(asked), pushed: 0, latenessMs: percentile(lateness, 0.95) };
}

async function ask(started: number): Promise<Observation> {
  searches += 1;
  const sent = performance.now();
  const outcome = await callers[searches % grpcEvery === 0 ? "grpc" : "http"](nextQuery());
  return { at: sent - started, tookMs: performance.now() - sent, outcome };
}

/** Hardly ever the same twice, so that no cache answers for the model. */
function nextQuery(): string {
  const words = random.pick(texts).split(" ");
  const first = random.below(Math.max(1, words.length - queryWords));
  return words.slice(first, first + queryWords).join(" ");
}

async function until(time: number): Promise<void> {
  const left = time - performance.now();
  if (left > 0) await delay(left);
}
