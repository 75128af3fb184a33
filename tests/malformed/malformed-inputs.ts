import { malformedDocuments } from "@headwater/ingest/testing/malformed";
import { SeededRandom } from "@headwater/testing/seeded-random";
import { connectInput } from "./connect-inputs.ts";
import { documentInput } from "./document-inputs.ts";
import { frameInput } from "./frame-inputs.ts";
import { grpcInput } from "./grpc-inputs.ts";
import { httpInput } from "./http-inputs.ts";
import type { MalformedInput } from "./malformed-input.ts";
import { websocketInput } from "./websocket-inputs.ts";

/** Documents that go in together. */
const batchSize = 25;
/** One input in so many is a document. */
const documentShare = 5;

/** Doors but that of documents; one that stands here twice gets twice as many. */
const doors = [
  grpcInput,
  grpcInput,
  grpcInput,
  frameInput,
  httpInput,
  httpInput,
  httpInput,
  websocketInput,
  websocketInput,
  connectInput,
] as const;

/** Inputs for every door, the same ones for the same seed; a batch of documents counts as many as it holds. */
export function* malformedInputs(count: number, seed: number): Generator<MalformedInput> {
  const random = new SeededRandom(seed);
  const documents = malformedDocuments(count, seed);
  let batch = 0;
  for (let made = 0; made < count; ) {
    if (made < batch * batchSize * documentShare) {
      yield random.pick(doors)(random);
      made += 1;
      continue;
    }
    const together = [];
    for (let left = Math.min(batchSize, count - made); left > 0; left--) {
      const next = documents.next();
      if (!next.done) together.push(next.value);
    }
    yield documentInput(batch, together);
    batch += 1;
    made += together.length;
  }
}
