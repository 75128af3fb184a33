import type { Done, Job, JobOf } from "../inference/job.ts";
import type { Engine } from "../inference/thread-pool.ts";

/** A job that the test ends when it wants. */
export interface FakeRun {
  readonly job: Job;
  readonly urgent: boolean;
  /** Lengths of the texts in the batch. */
  readonly lengths: readonly number[];
  finish(): void;
  fail(error: unknown): void;
}

/** An engine of so many places; jobs run until the test ends them. A text's vector is its first token id. */
export class FakeEngine implements Engine {
  readonly running: FakeRun[] = [];
  readonly started: FakeRun[] = [];
  #places: number;
  #room = () => {};

  constructor(places = 1) {
    this.#places = places;
  }

  accepts(): boolean {
    return this.running.length < this.#places;
  }

  /** As when others' jobs fill the engine or leave it. */
  setPlaces(places: number): void {
    this.#places = places;
    this.#room();
  }

  onRoom(listener: () => void): void {
    this.#room = listener;
  }

  run<Kind extends Job["kind"]>(job: JobOf<Kind>, urgent: boolean): Promise<Done<Kind>> {
    const { promise, resolve, reject } = Promise.withResolvers<Done<Kind>>();
    const end = () => this.running.splice(this.running.indexOf(run), 1);
    const run: FakeRun = {
      job,
      urgent,
      lengths: "inputs" in job ? job.inputs.map(({ ids }) => ids.length) : [],
      finish: () => {
        end();
        // The outputs of each kind of job are what its kind of caller reads.
        resolve({ outputs: outputsOf(job), milliseconds: 1, cpuMilliseconds: 1 } as unknown as Done<Kind>);
        this.#room();
      },
      fail: (error) => {
        end();
        reject(error);
        this.#room();
      },
    };
    this.running.push(run);
    this.started.push(run);
    return promise;
  }

  /** Ends jobs until none is left, those that start meanwhile too. */
  async finishAll(): Promise<void> {
    for (let run = this.running[0]; run; run = this.running[0]) {
      run.finish();
      await settle();
    }
  }
}

/** Lets everything run that waits for nothing outside. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

function outputsOf(job: Job): unknown[] {
  switch (job.kind) {
    case "encode":
      return job.inputs.map(({ ids, vector, tokens }) => ({
        vector: vector ? Float32Array.of(ids[0] ?? 0) : undefined,
        tokens: tokens ? new Uint8Array(8) : undefined,
      }));
    case "pairs":
      return job.inputs.map(({ ids }) => ids.length);
    case "max-sim":
      return job.passages.map(() => Float32Array.of(0.5));
    case "answer-odds":
      return job.sentences.map(() => 0.5);
  }
}
