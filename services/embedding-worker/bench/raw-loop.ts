import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { EncoderFolder } from "../model/encoder-folder.ts";
import type { TextTokenizer } from "../model/tokenizer.ts";
import type { RawLoopPass, RawLoopThread } from "./raw-loop-thread.ts";

/** How the raw loop uses the cores. */
export interface RawLayout {
  readonly sessions: number;
  readonly threadsPerSession: number;
}

/** Texts sorted by length, in batches of one size, straight into ONNX Runtime: what a service has to live up to. */
export class RawLoop {
  readonly #tokenizer: TextTokenizer;
  readonly #workers: readonly Worker[];

  private constructor(tokenizer: TextTokenizer, workers: readonly Worker[]) {
    this.#tokenizer = tokenizer;
    this.#workers = workers;
  }

  static async start(encoder: EncoderFolder, tokenizer: TextTokenizer, layout: RawLayout): Promise<RawLoop> {
    const data: RawLoopThread = { modelFile: encoder.modelFile, threads: layout.threadsPerSession };
    const workers = Array.from(
      { length: layout.sessions },
      () => new Worker(new URL("./raw-loop-thread.ts", import.meta.url), { workerData: data }),
    );
    await Promise.all(workers.map((worker) => once(worker, "message")));
    return new RawLoop(tokenizer, workers);
  }

  /** Tokenises and embeds all texts once, in batches of `size` texts. */
  async run(texts: readonly string[], size: number): Promise<void> {
    const rows = (await this.#tokenizer.encode(texts)).map(({ ids }) => ids);
    rows.sort((a, b) => b.length - a.length);
    const batches = Array.from({ length: Math.ceil(rows.length / size) }, (_, index) =>
      rows.slice(index * size, (index + 1) * size),
    );
    const pass: RawLoopPass = { batches, counter: new SharedArrayBuffer(4) };
    await Promise.all(
      this.#workers.map((worker) => {
        const done = once(worker, "message");
        worker.postMessage(pass);
        return done;
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
