import type { DeadLetter, Pipeline } from "@headwater/client";
import { signal } from "@preact/signals";
import { announce } from "./announcer.ts";
import type { Fault } from "./fault.ts";
import { faultOf } from "./fault.ts";
import { counted } from "./format.ts";
import { route } from "./navigation.ts";
import { server } from "./server.ts";
import type { Sample } from "./throughput.ts";
import { withSample } from "./throughput.ts";

export const pipeline = signal<Pipeline | undefined>(undefined);
export const samples = signal<readonly Sample[]>([]);

/** Milliseconds between questions: often while something moves or is looked at, else seldom. */
const oftenMs = 1000;
const seldomMs = 5000;
/** A gateway that does not answer this simple question for so long is lost. */
const patienceMs = 10_000;

/**
 * Asks for the state of the pipeline again and again until `signal` fires; a hidden tab does not ask. Resolves with
 * the first answer.
 * @param onFault called once, with what ended the asking
 * @throws HeadwaterClientError where the first question fails
 */
export async function watchPipeline(signal: AbortSignal, onFault: (fault: Fault) => void): Promise<void> {
  await refreshPipeline(signal);
  const again = async () => {
    if (signal.aborted) return;
    try {
      if (!document.hidden) await refreshPipeline(signal);
      setTimeout(() => void again(), isMoving() ? oftenMs : seldomMs);
    } catch (thrown) {
      const fault = faultOf(thrown, signal);
      if (fault) onFault(fault);
    }
  };
  setTimeout(() => void again(), oftenMs);
}

async function refreshPipeline(signal?: AbortSignal): Promise<void> {
  const now = await server.pipeline({ timeoutMs: patienceMs, ...(signal ? { signal } : {}) });
  pipeline.value = now;
  samples.value = withSample(samples.peek(), { time: Date.now(), indexed: now.indexedSinceStart });
}

function isMoving(): boolean {
  const { view } = route.peek();
  return view === "pipeline" || view === "documents" || (pipeline.peek()?.lag ?? 0) > 0;
}

/** Documents of this tenant in any state but deleted; undefined while unknown. */
export function documentsInStore(now: Pipeline | undefined): number | undefined {
  if (!now) return undefined;
  const { queued, parsing, embedding, indexed, failed } = now.documents;
  return queued + parsing + embedding + indexed + failed;
}

export interface DeadLetterList {
  readonly letters: readonly DeadLetter[];
  readonly nextPageToken: string;
  readonly loading: boolean;
  readonly fault: Fault | undefined;
}

export const deadLetters = signal<DeadLetterList>({
  letters: [],
  nextPageToken: "",
  loading: false,
  fault: undefined,
});

export async function listDeadLetters(more: boolean, signal: AbortSignal): Promise<void> {
  const before = deadLetters.peek();
  deadLetters.value = { ...before, loading: true, fault: undefined };
  try {
    const page = await server.deadLetters.list({
      pageSize: 100,
      pageToken: more ? before.nextPageToken : "",
      signal,
    });
    deadLetters.value = {
      letters: more ? [...before.letters, ...page.deadLetters] : page.deadLetters,
      nextPageToken: page.nextPageToken,
      loading: false,
      fault: undefined,
    };
  } catch (thrown) {
    deadLetters.value = { ...before, loading: false, fault: faultOf(thrown, signal) };
  }
}

/** Puts dead letters back into the log; without ids all of them. */
export async function replayDeadLetters(ids: readonly string[], signal: AbortSignal): Promise<void> {
  try {
    const replayed = await server.deadLetters.replay(ids, { signal });
    announce(`${counted(replayed, "dead letter")} put back into the log.`);
    await Promise.all([listDeadLetters(false, signal), refreshPipeline(signal)]);
  } catch (thrown) {
    deadLetters.value = { ...deadLetters.peek(), fault: faultOf(thrown, signal) };
  }
}
