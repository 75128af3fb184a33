// Body of an inference thread. onnxruntime-node runs a model on the thread that calls it (its `run` is synchronous
// behind a promise), which would hold an event loop for the length of a batch; hence threads of their own.
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { AnswerHead } from "./answer-head.ts";
import type { Done, EncoderOutput, Job, JobMessage, JobOf, ThreadMessage, ThreadModels } from "./job.ts";
import { MaxSim } from "./max-sim.ts";
import { OnnxModel } from "./onnx-model.ts";
import { pool } from "./pooling.ts";
import { packTokenVectors } from "./token-vectors.ts";

const port = parentPort;
if (!port) throw new Error("thread.ts runs in a worker thread only");
const models = workerData as ThreadModels;
const { dimensions, pooling } = models.encoder;

const urgent: JobMessage[] = [];
const waiting: JobMessage[] = [];
let working = false;

const post = (message: ThreadMessage, transfer: readonly ArrayBuffer[] = []) =>
  port.postMessage(message, transfer);

function accept(message: JobMessage): void {
  (message.urgent ? urgent : waiting).push(message);
}

/** Messages that came during a run are taken before the next job is chosen, so that an urgent one is not behind. */
function nextJob(): JobMessage | undefined {
  for (let received = take(); received; received = take()) accept(received);
  return urgent.shift() ?? waiting.shift();
}

function take(): JobMessage | undefined {
  return port ? (receiveMessageOnPort(port)?.message as JobMessage | undefined) : undefined;
}

async function encode(encoder: OnnxModel, { inputs }: JobOf<"encode">): Promise<EncoderOutput[]> {
  const { data, dims } = await encoder.run(inputs);
  const width = dims[1] ?? 0;
  return inputs.map((input, row) => {
    const from = row * width * dimensions;
    const tokens = data.subarray(from, from + input.ids.length * dimensions);
    return {
      vector: input.vector ? pool(tokens, dimensions, pooling) : undefined,
      tokens: input.tokens ? packTokenVectors(tokens, dimensions) : undefined,
    };
  });
}

async function scorePairs(model: OnnxModel | undefined, { inputs }: JobOf<"pairs">): Promise<number[]> {
  if (!model) throw new Error("no cross-encoder is loaded");
  const { data, dims } = await model.run(inputs);
  // Two columns are the logits of "no" and "yes".
  const columns = dims[1] ?? 1;
  return inputs.map((_, row) =>
    columns === 1 ? (data[row] ?? 0) : (data[row * columns + 1] ?? 0) - (data[row * columns] ?? 0),
  );
}

async function scoreAnswers(
  head: AnswerHead | undefined,
  { question, sentences }: JobOf<"answer-odds">,
): Promise<(number | undefined)[]> {
  if (!head) throw new Error("the encoder has no answer head");
  return head.score(question, sentences);
}

interface Graphs {
  readonly encoder: OnnxModel;
  readonly crossEncoder: OnnxModel | undefined;
  readonly maxSim: MaxSim;
  readonly answerHead: AnswerHead | undefined;
}

function run({ encoder, crossEncoder, maxSim, answerHead }: Graphs, job: Job) {
  switch (job.kind) {
    case "encode":
      return encode(encoder, job);
    case "pairs":
      return scorePairs(crossEncoder, job);
    case "max-sim":
      return maxSim.match(job.query, job.passages);
    case "answer-odds":
      return scoreAnswers(answerHead, job);
  }
}

function buffersOf(outputs: Done<Job["kind"]>["outputs"]): ArrayBuffer[] {
  return outputs.flatMap((output) =>
    output === undefined || typeof output === "number"
      ? []
      : output instanceof Float32Array
        ? [output.buffer].filter((buffer) => buffer instanceof ArrayBuffer)
        : [output.vector?.buffer, output.tokens?.buffer].filter((buffer) => buffer instanceof ArrayBuffer),
  );
}

async function work(graphs: Graphs): Promise<void> {
  if (working) return;
  working = true;
  for (let next = nextJob(); next; next = nextJob()) {
    const started = performance.now();
    const cpu = process.threadCpuUsage();
    try {
      const outputs = await run(graphs, next.job);
      const { user, system } = process.threadCpuUsage(cpu);
      const milliseconds = performance.now() - started;
      const done = { outputs, milliseconds, cpuMilliseconds: (user + system) / 1000 };
      post({ kind: "done", id: next.id, done }, buffersOf(outputs));
    } catch (thrown) {
      post({ kind: "failed", id: next.id, message: messageOf(thrown) });
    }
  }
  working = false;
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

try {
  const { encoder, crossEncoder, threads } = models;
  const graphs: Graphs = {
    encoder: await OnnxModel.load(encoder.modelFile, 3, encoder.padTokenId, threads),
    crossEncoder: crossEncoder
      ? await OnnxModel.load(crossEncoder.modelFile, 2, crossEncoder.padTokenId, threads)
      : undefined,
    maxSim: await MaxSim.load(dimensions),
    answerHead:
      encoder.answerHeadFile === undefined
        ? undefined
        : await AnswerHead.load(encoder.answerHeadFile, dimensions),
  };
  port.on("message", (message: JobMessage) => {
    accept(message);
    void work(graphs);
  });
  post({ kind: "ready" });
} catch (thrown) {
  post({ kind: "refused", message: messageOf(thrown) });
}
