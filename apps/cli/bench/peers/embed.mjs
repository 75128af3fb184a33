// Embeds texts with another library and prints how long it took. Runs in a folder of its own, where `headwater bench
// peers` has installed that library: `node embed.mjs <library> <model folder> <texts.json> <batch size>`.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [library, modelFolder, textsFile, batchText] = process.argv.slice(2);
const texts = JSON.parse(readFileSync(textsFile, "utf8"));
const batchSize = Number(batchText);
const scratch = mkdtempSync(join(tmpdir(), "headwater-peers-"));

const libraries = {
  "transformers.js": async () => {
    const { env, pipeline } = await import("@huggingface/transformers");
    layOut(join(scratch, "model"), "onnx/model_quantized.onnx");
    env.allowRemoteModels = false;
    env.localModelPath = scratch;
    const extract = await pipeline("feature-extraction", "model", { dtype: "q8", device: "cpu" });
    return async (batch) => (await extract(batch, { pooling: "cls", normalize: true })).tolist();
  },
  fastembed: async () => {
    const { EmbeddingModel, FlagEmbedding } = await import("fastembed");
    const folder = layOut(join(scratch, "model"), "model.onnx");
    const model = await FlagEmbedding.init({
      model: EmbeddingModel.CUSTOM,
      modelAbsoluteDirPath: folder,
      modelName: "model.onnx",
      maxLength: 512,
    });
    return async (batch) => {
      const vectors = [];
      for await (const some of model.embed(batch, batch.length)) vectors.push(...some);
      return vectors;
    };
  },
};

/** Both libraries want the files of a Hugging Face checkout; ours has those that matter. */
function layOut(folder, modelName) {
  mkdirSync(join(folder, modelName, ".."), { recursive: true });
  copyFileSync(join(modelFolder, "model.onnx"), join(folder, modelName));
  copyFileSync(join(modelFolder, "tokenizer.json"), join(folder, "tokenizer.json"));
  const special = { cls: "[CLS]", mask: "[MASK]", pad: "[PAD]", sep: "[SEP]", unk: "[UNK]" };
  const tokens = Object.fromEntries(Object.entries(special).map(([name, token]) => [`${name}_token`, token]));
  const write = (name, value) => writeFileSync(join(folder, name), JSON.stringify(value));
  write("config.json", { model_type: "bert", hidden_size: 384, pad_token_id: 0 });
  write("tokenizer_config.json", {
    tokenizer_class: "BertTokenizer",
    do_lower_case: true,
    model_max_length: 512,
    ...tokens,
  });
  write("special_tokens_map.json", tokens);
  return folder;
}

try {
  const embed = await libraries[library]();
  await embed(texts.slice(0, batchSize));
  const started = performance.now();
  let first;
  for (let at = 0; at < texts.length; at += batchSize) {
    const vectors = await embed(texts.slice(at, at + batchSize));
    first ??= Array.from(vectors[0]);
  }
  process.stdout.write(`${JSON.stringify({ seconds: (performance.now() - started) / 1000, first })}\n`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
