import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { DeepPartial, PushRequest } from "@headwater/proto/services/headwater/v1/ingest";
import { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import { createRpcClient } from "@headwater/rpc";
import { SeededRandom } from "@headwater/testing/seeded-random";
import { startHeadwater } from "../stack/headwater-process.ts";
import type { MemorySample } from "./memory-curve.ts";
import { growthOf, residentMegabytes } from "./memory-curve.ts";

const words =
  "river water stone bank flood delta silt spring rain snow valley bridge fish reed current bend mouth lake canal mill gauge sand clay ice wind".split(
    " ",
  );

/** Memory of the process that runs all five services. */
export interface IngestMemorySample extends MemorySample {
  /** Documents done. */
  readonly documents: number;
}

export interface MemoryBenchResult {
  readonly documents: number;
  readonly seconds: number;
  readonly curve: readonly IngestMemorySample[];
  /** Mean of the last quarter of the curve against the mean of its second quarter. */
  readonly growth: number;
}

/** Ingests many short documents into `headwater up` and watches how much memory that process holds. */
export async function benchMemory(
  documents: number,
  onProgress: (line: string) => void,
): Promise<MemoryBenchResult> {
  await using resources = new AsyncDisposableStack();
  const dataFolder = await mkdtemp(join(tmpdir(), "headwater-bench-"));
  resources.defer(() => rm(dataFolder, { recursive: true, force: true }));
  const headwater = await startHeadwater(dataFolder);
  resources.defer(async () => {
    await headwater.stop();
  });
  const client = createRpcClient(IngestServiceDefinition, headwater.address("ingest"));
  resources.defer(() => client.close());
  const started = performance.now();
  const curve: IngestMemorySample[] = [];
  const pushing = push(client.call.push(documentsOf(documents)));
  let done = 0;
  while (done < documents) {
    const { partitions } = await client.call.getPipeline({});
    done = partitions.reduce((sum, { committedOffset }) => sum + committedOffset, 0);
    if (done < ((curve.length + 1) * documents) / 40 && done < documents) {
      await delay(200);
      continue;
    }
    const sample = {
      documents: done,
      seconds: Math.round((performance.now() - started) / 1000),
      megabytes: await residentMegabytes(headwater.address("metrics")),
    };
    curve.push(sample);
    onProgress(`${sample.documents} documents, ${sample.seconds} s: ${sample.megabytes} MB`);
  }
  await pushing;
  return { documents, seconds: (performance.now() - started) / 1000, curve, growth: growthOf(curve) };
}

async function push(receipts: AsyncIterable<{ error: { message: string } | undefined }>): Promise<void> {
  for await (const { error } of receipts) if (error) throw new Error(error.message);
}

async function* documentsOf(count: number): AsyncGenerator<DeepPartial<PushRequest>> {
  const random = new SeededRandom(7);
  const encoder = new TextEncoder();
  for (let index = 0; index < count; index += 1) {
    let text = `Entry ${index}:`;
    for (let word = 0; word < 12; word += 1) text += ` ${random.pick(words)}`;
    const value = { id: `memory/${index}`, mediaType: "text/plain", content: encoder.encode(text) };
    yield { part: { $case: "document", value } };
  }
}
