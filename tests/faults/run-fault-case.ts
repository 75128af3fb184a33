import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { SeededRandom } from "@headwater/testing/seeded-random";
import type { FaultCase } from "./fault-case.ts";
import { Installation } from "./installation.ts";
import { Observer } from "./observer.ts";
import { assertOutcome } from "./outcome.ts";
import { produce, push } from "./producer.ts";
import { Progress, untilDone } from "./progress.ts";
import { makeFaultWorkload } from "./workload.ts";

export interface FaultOptions {
  readonly runs: number;
  /** By way of the log, in one run; half as many more are pushed. */
  readonly documents: number;
  /** Of the first run; the next one has the next. It gives documents, moments and victims; the machine adds the rest. */
  readonly seed: number;
  /** Ends it early; what was hurt is healed, and all is cleaned up. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (message: string) => void;
}

/** Milliseconds. */
export interface FaultRun {
  /** Between hurt and heal. */
  readonly outageMs: number;
  /** From heal to the first event that is done after it. */
  readonly progressMs: number;
  /** From heal to the last event. */
  readonly finishedMs: number;
}

export interface FaultReport {
  readonly faultCase: FaultCase;
  readonly runs: readonly FaultRun[];
  /** In one run, by either way. */
  readonly documents: number;
  /** Events and pushes in one run. */
  readonly events: number;
  /** Of the first run. */
  readonly seed: number;
  /** What went wrong, a run each. */
  readonly failures: readonly string[];
  /** How often a reader looked at an index meanwhile and got an answer. */
  readonly looks: number;
}

/** Milliseconds for one run; only bounds one that fails. */
const runTimeoutMs = 240_000;
/** Milliseconds between two batches of a producer, about: a run's events take some seconds to be written. */
const pauseMs = 60;
/** Milliseconds after the first event that is done: the moment of the fault is one of these. */
const latestFaultMs = 3000;

/** Runs a case again and again, each time with documents of a tenant of its own. */
export async function runFaultCase(faultCase: FaultCase, options: FaultOptions): Promise<FaultReport> {
  const { onProgress = () => {} } = options;
  const runs: FaultRun[] = [];
  const failures: string[] = [];
  let documents = 0;
  let events = 0;
  let looks = 0;
  let installation: Installation | undefined;
  try {
    for (let at = 1; at <= options.runs && !options.signal?.aborted; at += 1) {
      const seed = options.seed + at - 1;
      const name = `${faultCase.name}, run ${at} of ${options.runs}, seed ${seed}`;
      try {
        installation ??= await Installation.start(faultCase.needs);
        const done = await runOnce(faultCase, installation, options, seed);
        runs.push(done.run);
        documents = done.documents;
        events = done.events;
        looks += done.looks;
        const { outageMs, progressMs, finishedMs } = done.run;
        onProgress(
          `${name}: away ${outageMs} ms, going on after ${progressMs} ms, done after ${finishedMs} ms`,
        );
      } catch (thrown) {
        if (options.signal?.aborted) break;
        const failure = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
        failures.push(`${name}: ${failure}`);
        onProgress(`FAILED: ${name}: ${failure}`);
        for (const service of installation?.ingests ?? [])
          onProgress(`ingest said last:\n${service.lastWords.slice(-30).join("\n")}`);
        // What it left must not be taken for the next run's.
        await installation?.stop();
        installation = undefined;
      }
    }
  } finally {
    await installation?.stop();
  }
  return { faultCase, runs, documents, events, seed: options.seed, failures, looks };
}

async function runOnce(
  faultCase: FaultCase,
  installation: Installation,
  { documents, signal: leave }: FaultOptions,
  seed: number,
): Promise<Pick<FaultReport, "documents" | "events" | "looks"> & { readonly run: FaultRun }> {
  const random = new SeededRandom(seed);
  const workload = makeFaultWorkload(random, `run-${seed}`, documents);
  const { environment } = installation;
  const brokers = environment["HEADWATER_KAFKA_BROKERS"] ?? "";
  const topic = environment["HEADWATER_KAFKA_TOPIC"] ?? "";
  const group = environment["HEADWATER_INGEST_GROUP"] ?? "";
  const progress = new Progress(brokers, topic, group);
  const observer = await Observer.start(environment, workload.tenant);
  const ended = new AbortController();
  const signal = AbortSignal.any([
    ...[ended.signal, AbortSignal.timeout(runTimeoutMs)],
    ...(leave ? [leave] : []),
  ]);
  const hurt = Promise.withResolvers<void>();
  let healing: (() => Promise<void>) | undefined;
  try {
    const before = await progress.committed(signal);
    const pace = { pauseMs, gate: hurt.promise, signal };
    const written = Promise.all([
      produce({ brokers, topic }, workload.records, {
        ...pace,
        random: new SeededRandom(random.next() * 2 ** 32),
      }),
      push(() => installation.ingestAddress, workload.tenant, workload.steps, {
        ...{ ...pace, random: new SeededRandom(random.next() * 2 ** 32) },
      }),
    ]);
    written.catch((thrown: unknown) => ended.abort(thrown));
    await progress.beyond(before, signal);
    await delay(random.integer(0, latestFaultMs), undefined, { signal });
    const hurtAt = performance.now();
    healing = await faultCase.hurt?.(installation, random);
    hurt.resolve();
    await delay(random.integer(...faultCase.outageMs), undefined, { signal });
    await healing?.();
    healing = undefined;
    const healedAt = performance.now();
    const atHeal = await progress.committed(signal);
    const finished = written.then(() => untilDone(environment, group, signal));
    // Where others went on with the work, all may be done already.
    await Promise.race([progress.beyond(atHeal, signal), finished]);
    const goesOnAt = performance.now();
    await finished;
    const finishedAt = performance.now();
    await assertOutcome(environment, installation.ingestAddress, workload);
    const looks = await observer.stop();
    assert.deepEqual(installation.crashes(), [], "services that ended by themselves");
    return {
      run: {
        outageMs: Math.round(healedAt - hurtAt),
        progressMs: Math.round(goesOnAt - healedAt),
        finishedMs: Math.round(finishedAt - healedAt),
      },
      documents: workload.expected.size,
      events: workload.records.length + workload.steps.length,
      looks,
    };
  } finally {
    ended.abort();
    hurt.resolve();
    await healing?.();
    await Promise.allSettled([observer.stop()]);
    await progress.close();
  }
}
