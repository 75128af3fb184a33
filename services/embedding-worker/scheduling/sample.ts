import type { TextTokenizer } from "../model/tokenizer.ts";
import type { EncodeWork } from "./work.ts";

/** Plain English of 30 words, which any tokenizer takes apart into about as many tokens. */
const sentence =
  "The river rises in the hills above the mill, runs past the old stone bridge at the edge of the town, and " +
  "reaches the sea after a journey of nine days. ";

/** A text as long as the model can read, for warming up, measuring and trying whether the model works. */
export async function sampleIds(tokenizer: TextTokenizer, maxTokens: number): Promise<Int32Array> {
  const [sample] = await tokenizer.encode([sentence.repeat(Math.ceil(maxTokens / 30) + 1)]);
  if (!sample) throw new Error("the tokenizer gave nothing");
  return sample.ids;
}

/** A passage of these tokens, which nobody waits for. */
export function sampleWork(ids: Int32Array): EncodeWork {
  const signal = new AbortController().signal;
  return { kind: "encode", lane: "passage", flow: {}, signal, input: { ids, vector: true, tokens: false } };
}
