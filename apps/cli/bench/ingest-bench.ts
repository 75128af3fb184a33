import type { Time } from "@headwater/embedding-worker/bench";
import { timed } from "@headwater/embedding-worker/bench";
import { embeddedTexts } from "@headwater/ingest/bench";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import type { DeepPartial, PushRequest } from "@headwater/proto/services/headwater/v1/ingest";
import { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import type { RpcClient } from "@headwater/rpc";
import { createRpcClient } from "@headwater/rpc";
import type { Environment } from "@headwater/settings";
import { median } from "@headwater/testing/median";
import { startStack } from "../stack/stack.ts";
import { embedOnly } from "./embed-only.ts";
import { untilDone } from "./until-done.ts";

export interface IngestBenchResult {
  readonly documents: number;
  readonly passages: number;
  readonly rounds: number;
  /** Passages a second through the Embed stream alone; median of the rounds. */
  readonly embedOnlyPerSecond: number;
  /** Passages a second from Push until both indexes hold them and the offset is committed; median of the rounds. */
  readonly endToEndPerSecond: number;
  /** End to end against embed only, within each round; median. */
  readonly ratio: number;
  readonly ratios: readonly number[];
  /** Likewise by processor seconds of the whole process, which the machine's other work does not touch; median. */
  readonly processorRatio: number;
  /** Documents a second, all of them pushed again as they were, as often as there are rounds; median. */
  readonly againPerSecond: number;
  /** First time against second. */
  readonly againTimesFaster: number;
}

/**
 * End-to-end ingest against the embed-only rate: the same passages, the same worker, in turns. Each round has documents
 * of its own and the Embed stream leaves the cache alone, so nothing is embedded from memory.
 */
export async function benchIngest(
  documents: readonly string[],
  rounds: number,
  environment: Environment,
  onProgress: (line: string) => void,
): Promise<IngestBenchResult> {
  const stack = await startStack(["embedding-worker", "ingest"], environment, "error");
  const embedding = createRpcClient(EmbeddingServiceDefinition, stack.address("embedding-worker"));
  const ingest = createRpcClient(IngestServiceDefinition, stack.address("ingest"));
  try {
    const texts = await embeddedTexts(documents, embedding, environment);
    const size = Math.floor(documents.length / (rounds + 1));
    const shareOf = (round: number) => ({
      documents: documents.slice(round * size, (round + 1) * size),
      texts: texts.slice(round * size, (round + 1) * size).flat(),
    });
    // The first share warms each way and is not counted; the second time it takes the way of what is there already.
    const warmUp = shareOf(0);
    await embedOnly(embedding, warmUp.texts);
    await endToEnd(ingest, warmUp.documents, 0);
    await endToEnd(ingest, warmUp.documents, 0);
    const times: { passages: number; embed: Time; ingest: Time }[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const share = shareOf(round);
      const runEmbed = () => timed(() => embedOnly(embedding, share.texts));
      const runIngest = () => timed(() => endToEnd(ingest, share.documents, round * size));
      // Whoever goes first finds another clock speed, so they swap.
      const first = await (round % 2 === 0 ? runEmbed() : runIngest());
      const second = await (round % 2 === 0 ? runIngest() : runEmbed());
      const passages = share.texts.length;
      const time =
        round % 2 === 0
          ? { passages, embed: first, ingest: second }
          : { passages, embed: second, ingest: first };
      times.push(time);
      onProgress(
        `round ${round}: embed only ${(passages / time.embed.clock).toFixed(1)}, end to end ${(passages / time.ingest.clock).toFixed(1)} passages/s`,
      );
    }
    const all = documents.slice(size, (rounds + 1) * size);
    const passes: number[] = [];
    while (passes.length < rounds) {
      const { clock } = await timed(() => endToEnd(ingest, all, size));
      passes.push(clock);
      onProgress(`the same again ${passes.length}: ${(all.length / clock).toFixed(0)} documents/s`);
    }
    const again = median(passes);
    const firstTime = times.reduce((sum, time) => sum + time.ingest.clock, 0);
    const ratios = times.map((time) => time.embed.clock / time.ingest.clock);
    return {
      documents: all.length,
      passages: times.reduce((sum, { passages }) => sum + passages, 0),
      rounds,
      embedOnlyPerSecond: median(times.map(({ passages, embed }) => passages / embed.clock)),
      endToEndPerSecond: median(times.map(({ passages, ingest }) => passages / ingest.clock)),
      ratio: median(ratios),
      ratios,
      processorRatio: median(times.map((time) => time.embed.processor / time.ingest.processor)),
      againPerSecond: all.length / again,
      againTimesFaster: firstTime / again,
    };
  } finally {
    embedding.close();
    ingest.close();
    await stack.close(2000);
  }
}

/** Ends when the consumer has gone past the last of them. */
async function endToEnd(
  client: RpcClient<IngestServiceDefinition>,
  texts: readonly string[],
  firstId: number,
): Promise<void> {
  const encoder = new TextEncoder();
  const ids = texts.map((_, index) => `bench/${firstId + index}`);
  const requests = async function* (): AsyncGenerator<DeepPartial<PushRequest>> {
    for (const [index, text] of texts.entries()) {
      const value = { id: ids[index] ?? "", mediaType: "text/plain", content: encoder.encode(text) };
      yield { part: { $case: "document", value } };
    }
  };
  for await (const { error } of client.call.push(requests())) {
    if (error) throw new Error(error.message);
  }
  await untilDone(client, ids);
}
