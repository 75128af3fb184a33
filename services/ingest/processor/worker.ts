import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { workerData } from "piscina";
import { Tokenizer } from "tokenizers";
import { chunkDocument } from "../chunkers/chunk-document.ts";
import { parseDocument } from "../parsers/parse-document.ts";
import type { Stage, WorkerReply, WorkerSetup, WorkerTask } from "./worker-message.ts";
import { packError, packPassages, stages } from "./worker-message.ts";

const { tokenizerJson, chunking, limits, stage: stageCell } = workerData as WorkerSetup;
// A copy, because the decoder takes no shared memory.
const tokenizer = Tokenizer.fromString(new TextDecoder().decode(new Uint8Array(tokenizerJson)));
// The model's file may ask for both; passages are counted as they are.
tokenizer.disableTruncation();
tokenizer.disablePadding();

// The watch over memory cannot tell garbage from what is in use, so each document has to start with little garbage.
setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");
const garbageBytes = (limits.workerMemoryMb * 1024 * 1024) / 2;

/** Runs in the worker thread, for one document or a few small ones. */
export default async function processInWorker(tasks: readonly WorkerTask[]): Promise<readonly WorkerReply[]> {
  try {
    return await Promise.all(tasks.map(processDocument));
  } finally {
    if (getHeapStatistics().used_heap_size > garbageBytes) collectGarbage();
  }
}

async function processDocument(task: WorkerTask): Promise<WorkerReply> {
  let stage: Stage = "parse";
  try {
    tellStage(stage);
    const document = await parseDocument(task, limits);
    stage = "chunk";
    tellStage(stage);
    const spans = await chunkDocument(document, tokenizer, chunking, limits.maxPassages);
    const { text, title, mediaType } = document;
    return { ok: true, text, title, mediaType, ...packPassages(spans) };
  } catch (thrown) {
    return { ok: false, stage, error: packError(thrown) };
  }
}

/** For whoever has to end this thread over a document. */
function tellStage(stage: Stage): void {
  Atomics.store(stageCell, 0, stages.indexOf(stage));
}
