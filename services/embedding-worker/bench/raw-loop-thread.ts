// Body of a thread of the raw loop: nothing between the texts and ONNX Runtime but the loop itself.
import { parentPort, workerData } from "node:worker_threads";
import { InferenceSession, Tensor } from "onnxruntime-node";

/** What a thread of the raw loop is given. */
export interface RawLoopThread {
  readonly modelFile: string;
  readonly threads: number;
}

/** One pass over all batches; threads take the next from a shared counter. */
export interface RawLoopPass {
  readonly batches: readonly (readonly Int32Array[])[];
  readonly counter: SharedArrayBuffer;
}

const port = parentPort;
if (!port) throw new Error("raw-loop-thread.ts runs in a worker thread only");
const { modelFile, threads } = workerData as RawLoopThread;
const session = await InferenceSession.create(modelFile, {
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  enableMemPattern: false,
});

/** The vectors of the first tokens, scaled to length 1: what the service gives as well. */
async function run(rows: readonly Int32Array[]): Promise<Float32Array[]> {
  const width = rows.reduce((longest, { length }) => Math.max(longest, length), 0);
  const dims = [rows.length, width];
  const ids = new BigInt64Array(rows.length * width);
  const mask = new BigInt64Array(rows.length * width);
  const lowIds = new Int32Array(ids.buffer);
  const lowMask = new Int32Array(mask.buffer);
  for (const [index, row] of rows.entries()) {
    for (let at = 0; at < row.length; at += 1) {
      lowIds[(index * width + at) * 2] = row[at] ?? 0;
      lowMask[(index * width + at) * 2] = 1;
    }
  }
  const feeds: Record<string, Tensor> = {
    input_ids: new Tensor("int64", ids, dims),
    attention_mask: new Tensor("int64", mask, dims),
    token_type_ids: new Tensor("int64", new BigInt64Array(rows.length * width), dims),
  };
  for (const name of Object.keys(feeds)) if (!session.inputNames.includes(name)) delete feeds[name];
  const [output] = Object.values(await session.run(feeds));
  if (!(output?.data instanceof Float32Array)) throw new TypeError("the first output is not float32");
  const { data } = output;
  const dimensions = output.dims.at(-1) ?? 0;
  return rows.map((_, index) => {
    const vector = data.slice(index * width * dimensions, index * width * dimensions + dimensions);
    const length = Math.hypot(...vector);
    return vector.map((value) => value / length);
  });
}

port.on("message", async ({ batches, counter }: RawLoopPass) => {
  const next = new Int32Array(counter);
  for (let at = Atomics.add(next, 0, 1); at < batches.length; at = Atomics.add(next, 0, 1))
    await run(batches[at] ?? []);
  port.postMessage("done");
});
port.postMessage("ready");
