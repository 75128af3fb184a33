import type { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import type { RpcClient } from "@headwater/rpc";
import { contentStems } from "@headwater/text";

/** A passage of a calibration corpus. */
export interface Passage {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

/** Finds passages as search does by default: BM25 and vectors, scaled by minimum and maximum, 0.4 to 0.6. */
export interface Retriever {
  /** Best first. */
  find(question: string, limit: number, leaveOut: ReadonlySet<string>): Promise<Passage[]>;
}

const lexicalWeight = 0.4;
const pool = 50;
/** BM25's usual constants (Robertson, Zaragoza 2009). */
const k1 = 1.2;
const b = 0.75;

export async function createRetriever(
  passages: readonly Passage[],
  embedding: RpcClient<EmbeddingServiceDefinition>,
): Promise<Retriever> {
  const vectors = await embedAll(passages, embedding);
  const bags = passages.map(({ title, text }) => countStems(`${title} ${text}`));
  const lengths = bags.map((bag) => [...bag.values()].reduce((sum, count) => sum + count, 0));
  const meanLength = lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length);
  const frequencies = new Map<string, number>();
  for (const bag of bags)
    for (const stem of bag.keys()) frequencies.set(stem, (frequencies.get(stem) ?? 0) + 1);

  const bm25 = (stems: readonly string[], index: number): number => {
    let score = 0;
    for (const stem of stems) {
      const count = bags[index]?.get(stem) ?? 0;
      const frequency = frequencies.get(stem) ?? 0;
      const rarity = Math.log(1 + (passages.length - frequency + 0.5) / (frequency + 0.5));
      score +=
        (rarity * count * (k1 + 1)) / (count + k1 * (1 - b + (b * (lengths[index] ?? 0)) / meanLength));
    }
    return score;
  };

  return {
    async find(question, limit, leaveOut) {
      const { embedding: query } = await embedding.call.embedQuery({ text: question });
      const queryVector = toVector(query?.vector ?? new Uint8Array());
      const stems = contentStems(question);
      const scored = passages.flatMap((passage, index) =>
        leaveOut.has(passage.id)
          ? []
          : [{ passage, lexical: bm25(stems, index), vector: dot(queryVector, vectors[index]) }],
      );
      const candidates = new Set(
        (["lexical", "vector"] as const).flatMap((list) =>
          scored.toSorted((x, y) => y[list] - x[list]).slice(0, pool),
        ),
      );
      const lexical = scaler([...candidates].map((candidate) => candidate.lexical));
      const vector = scaler([...candidates].map((candidate) => candidate.vector));
      return [...candidates]
        .map((candidate) => ({
          passage: candidate.passage,
          score: lexicalWeight * lexical(candidate.lexical) + (1 - lexicalWeight) * vector(candidate.vector),
        }))
        .sort((x, y) => y.score - x.score)
        .slice(0, limit)
        .map(({ passage }) => passage);
    },
  };
}

async function embedAll(
  passages: readonly Passage[],
  embedding: RpcClient<EmbeddingServiceDefinition>,
): Promise<Float32Array[]> {
  async function* batches() {
    for (let at = 0; at < passages.length; at += 64) {
      yield { texts: passages.slice(at, at + 64).map(({ title, text }) => `${title}\n${text}`) };
    }
  }
  const vectors: Float32Array[] = [];
  for await (const { embeddings } of embedding.call.embed(batches())) {
    for (const { vector } of embeddings) vectors.push(toVector(vector));
  }
  return vectors;
}

function toVector(bytes: Uint8Array): Float32Array {
  return new Float32Array(new Uint8Array(bytes).buffer);
}

function dot(x: Float32Array, y: Float32Array | undefined): number {
  let sum = 0;
  for (const [index, value] of x.entries()) sum += value * (y?.[index] ?? 0);
  return sum;
}

function countStems(text: string): Map<string, number> {
  const bag = new Map<string, number>();
  for (const stem of contentStems(text)) bag.set(stem, (bag.get(stem) ?? 0) + 1);
  return bag;
}

function scaler(values: readonly number[]): (value: number) => number {
  const low = Math.min(...values);
  const range = Math.max(...values) - low;
  return (value) => (range === 0 ? 0 : (value - low) / range);
}
