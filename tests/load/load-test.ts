import { createHeadwaterClient } from "@headwater/client";
import { createNodeTransport } from "@headwater/client/node";
import { eventually } from "../support/eventually.ts";
import type { Installation } from "./installation.ts";
import type { PhaseResult } from "./load-phase.ts";
import type { LoadProcess } from "./load-process.ts";
import { startLoadProcess } from "./load-process.ts";
import type { MemoryQuarter } from "./memory-curve.ts";
import { watchMemory } from "./memory-curve.ts";
import type { PhaseSummary } from "./phase-summary.ts";
import { p95BySecond, summarize } from "./phase-summary.ts";

export interface LoadOptions {
  /** Documents that are indexed before. */
  readonly documents: number;
  /** Documents that a producer pushes a second, all the time. */
  readonly producedPerSecond: number;
  /** Callers who search without a pause. */
  readonly callers: number;
  /** Of the steady load. */
  readonly steadySeconds: number;
  /** Searches a second in the overload, against those that the steady load had answered. */
  readonly overloadFactor: number;
  readonly overloadSeconds: number;
  /** Of single searches, one after the other, before and after. */
  readonly calmSeconds: number;
  readonly onProgress: (line: string) => void;
}

export interface LoadResult {
  readonly calm: PhaseSummary;
  readonly steady: PhaseSummary;
  readonly overload: PhaseSummary;
  readonly after: PhaseSummary;
  /** Searches a second that came in the overload. */
  readonly overloadPerSecond: number;
  /** Of all processes together. */
  readonly memory: { readonly steady: readonly MemoryQuarter[]; readonly overload: readonly MemoryQuarter[] };
  /**
   * Seconds from the end of the overload to the first second in which single searches were as fast as in the slowest
   * second before it, by the 95th percentile; undefined: not while it was watched.
   */
  readonly recoverySeconds: number | undefined;
  readonly produced: { readonly steady: number; readonly overload: number };
}

/** Longest wait in milliseconds until documents are indexed. */
const indexingPatienceMs = 600_000;

/** Calm, steady load, overload, calm again: through the gateway of an installation that has just started. */
export async function testLoad(installation: Installation, options: LoadOptions): Promise<LoadResult> {
  const load = await startLoadProcess(installation.gateway);
  try {
    await index(installation, load, options);
    return await measure(installation, load, options);
  } finally {
    await load.stop();
  }
}

async function measure(
  installation: Installation,
  load: LoadProcess,
  options: LoadOptions,
): Promise<LoadResult> {
  const { callers, calmSeconds, steadySeconds, overloadSeconds, onProgress } = options;
  const single = { kind: "callers", callers: 1, seconds: calmSeconds } as const;
  // The first searches find nothing warm.
  await load.run(single);

  const before = await withProducer(load, options, calmSeconds, () => load.run(single));
  const calm = summarize(before.result, calmSeconds);
  onProgress(`one caller: ${describe(calm)}`);

  const steadyMemory = watchMemory(installation.pids);
  const steadyRun = await withProducer(load, options, steadySeconds, () =>
    load.run({ kind: "callers", callers, seconds: steadySeconds }),
  );
  const steady = summarize(steadyRun.result, steadySeconds);
  const memorySteady = await steadyMemory.stop();
  onProgress(`${callers} callers: ${describe(steady)}`);

  const overloadPerSecond = Math.ceil(steady.answeredPerSecond * options.overloadFactor);
  const overloadMemory = watchMemory(installation.pids);
  const [overloadRun, afterResult] = await Promise.all([
    withProducer(load, options, overloadSeconds, () =>
      load.run({ kind: "arrivals", perSecond: overloadPerSecond, seconds: overloadSeconds }),
    ),
    load.run({ ...single, startAfterMs: overloadSeconds * 1000 }),
  ]);
  const overload = summarize(overloadRun.result, overloadSeconds);
  const after = summarize(afterResult, calmSeconds);
  onProgress(`${overloadPerSecond} searches/s: ${describe(overload)}`);
  onProgress(`one caller, right after: ${describe(after)}`);

  return {
    ...{ calm, steady, overload, after, overloadPerSecond },
    memory: { steady: memorySteady, overload: await overloadMemory.stop() },
    recoverySeconds: recovery(before.result, afterResult),
    produced: { steady: steadyRun.produced, overload: overloadRun.produced },
  };
}

/** Documents are produced as long as `work` takes, and are counted. */
async function withProducer(
  load: LoadProcess,
  { producedPerSecond }: LoadOptions,
  seconds: number,
  work: () => Promise<PhaseResult>,
): Promise<{ result: PhaseResult; produced: number }> {
  const [result, { pushed }] = await Promise.all([
    work(),
    load.run({ kind: "push", documents: producedPerSecond * seconds, perSecond: producedPerSecond }),
  ]);
  return { result, produced: pushed };
}

async function index(
  { gateway }: Installation,
  load: LoadProcess,
  { documents, onProgress }: LoadOptions,
): Promise<void> {
  await load.run({ kind: "push", documents });
  const transport = createNodeTransport({ address: gateway });
  try {
    const client = createHeadwaterClient({ transport });
    const indexed = async () => ((await client.pipeline()).documents.indexed >= documents ? true : undefined);
    await eventually(`${documents} documents are indexed`, indexed, indexingPatienceMs);
  } finally {
    transport.close();
  }
  onProgress(`${documents} documents are indexed`);
}

function recovery(before: PhaseResult, after: PhaseResult): number | undefined {
  const normal = Math.max(...p95BySecond(before.observations).map(({ p95 }) => p95));
  return p95BySecond(after.observations).find(({ p95 }) => p95 <= normal)?.second;
}

function describe({ answeredPerSecond, answered, outcomes }: PhaseSummary): string {
  return `${answeredPerSecond.toFixed(1)} answers/s, p95 ${answered.p95.toFixed(0)} ms, ${JSON.stringify(outcomes)}`;
}
