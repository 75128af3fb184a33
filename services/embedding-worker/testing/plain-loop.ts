import { InferenceSession, Tensor } from "onnxruntime-node";
import { Tokenizer } from "tokenizers";
import type { EncoderFolder } from "../model/encoder-folder.ts";

/**
 * Vectors as a beginner's guide computes them: one text at a time, no batch, no thread, no cache, cls pooling. What
 * the service gives is held against it.
 */
export async function embedPlainly(
  encoder: EncoderFolder,
  texts: readonly string[],
): Promise<Float32Array[]> {
  const tokenizer = Tokenizer.fromFile(encoder.tokenizerFile);
  tokenizer.setTruncation(encoder.maxTokens);
  const session = await InferenceSession.create(encoder.modelFile, { intraOpNumThreads: 1 });
  const vectors: Float32Array[] = [];
  for (const text of texts) {
    const ids = (await tokenizer.encode(text)).getIds();
    const tensor = (value: (id: number) => number) =>
      new Tensor(
        "int64",
        BigInt64Array.from(ids, (id) => BigInt(value(id))),
        [1, ids.length],
      );
    const output = await session.run({
      input_ids: tensor((id) => id),
      attention_mask: tensor(() => 1),
      token_type_ids: tensor(() => 0),
    });
    const first = Float32Array.from(
      output["last_hidden_state"]?.data.slice(0, encoder.dimensions) as Float32Array,
    );
    const length = Math.hypot(...first);
    vectors.push(first.map((value) => value / length));
  }
  await session.release();
  return vectors;
}
