import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadwaterError } from "@headwater/errors";
import type { ProcessingResult } from "./document-processor.ts";
import type { ParsingJob } from "./parsing-worker.ts";
import { documentTimeout } from "./processor-errors.ts";
import { WorkerQueue } from "./worker-queue.ts";

const never = new AbortController().signal;

function job(name: string, bytes = 100, signal = never): ParsingJob {
  return { source: { content: new Uint8Array(bytes), mediaType: "text/plain", name }, signal };
}

const nameOf = ({ source }: ParsingJob) => source.name;

/** Notes what it is given, and answers when it is told to. */
class NotingWorker {
  readonly given: string[][] = [];
  readonly #breaks: (names: readonly string[]) => boolean;
  #turn = Promise.withResolvers<void>();

  constructor(breaks: (names: readonly string[]) => boolean = () => false) {
    this.#breaks = breaks;
  }

  async process(only: ParsingJob): Promise<ProcessingResult> {
    const [result] = await this.#run([only]);
    assert(result);
    return result;
  }

  async processTogether(jobs: readonly ParsingJob[]): Promise<readonly ProcessingResult[] | HeadwaterError> {
    const results = await this.#run(jobs);
    return this.#breaks(jobs.map(nameOf)) ? documentTimeout(1) : results;
  }

  /** Lets it answer what it has, and waits for what it is given next. */
  async step(): Promise<void> {
    this.#turn.resolve();
    this.#turn = Promise.withResolvers();
    await new Promise(setImmediate);
  }

  async finish(): Promise<void> {
    for (let seen = -1; seen < this.given.length; ) {
      seen = this.given.length;
      await this.step();
    }
  }

  async close(): Promise<void> {}

  async #run(jobs: readonly ParsingJob[]): Promise<ProcessingResult[]> {
    const names = jobs.map(nameOf);
    this.given.push(names);
    await this.#turn.promise;
    return names.map((name): ProcessingResult => {
      if (names.length === 1 && this.#breaks(names))
        return { ok: false, stage: "parse", error: documentTimeout(1) };
      return { ok: true, document: { text: name, title: "", mediaType: "text/plain", passages: [] } };
    });
  }
}

const outcome = (result: ProcessingResult) => (result.ok ? result.document.text : result.error.reason);

test("small documents that wait go together, a large one alone, in order", async () => {
  const worker = new NotingWorker();
  const queue = new WorkerQueue([worker], 100);
  const small = Array.from({ length: 18 }, (_, index) => `small ${index}`);
  const all = [job("first"), ...small.map((name) => job(name)), job("large", 1_000_000), job("last")];
  const results = Promise.all(all.map((one) => queue.process(one)));
  await worker.finish();
  assert.deepEqual(worker.given, [["first"], small.slice(0, 16), small.slice(16), ["large"], ["last"]]);
  assert.deepEqual((await results).map(outcome), all.map(nameOf));
});

test("when they break the thread, each goes alone, and only the one at fault fails", async () => {
  const worker = new NotingWorker((names) => names.includes("bad"));
  const queue = new WorkerQueue([worker], 100);
  const results = Promise.all(["first", "a", "bad", "b"].map((name) => queue.process(job(name))));
  await worker.finish();
  assert.deepEqual(worker.given, [["first"], ["a", "bad", "b"], ["a"], ["bad"], ["b"]]);
  assert.deepEqual((await results).map(outcome), ["first", "a", "HW_DOCUMENT_TIMEOUT", "b"]);
});

test("who leaves is told at once, the others that came with it are not disturbed", async () => {
  const worker = new NotingWorker();
  const queue = new WorkerQueue([worker], 100);
  const leaving = new AbortController();
  const first = queue.process(job("first"));
  const left = queue.process(job("leaves", 100, leaving.signal));
  const stays = queue.process(job("stays"));
  await worker.step();
  assert.equal(outcome(await first), "first");
  assert.deepEqual(worker.given.at(-1), ["leaves", "stays"]);
  leaving.abort();
  await assert.rejects(
    left,
    (thrown) => thrown instanceof HeadwaterError && thrown.reason === "HW_CANCELLED",
  );
  await worker.finish();
  assert.equal(outcome(await stays), "stays");
});
