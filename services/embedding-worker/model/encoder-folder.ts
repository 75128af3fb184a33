import { createHash } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import type { ModelFolder } from "./model-folder.ts";
import { findChecked, modelError, readJson, readModelFolder } from "./model-folder.ts";

/** How the vectors of a text's tokens become one vector. */
export type Pooling = "cls" | "mean" | "max";

/** A folder with a model that turns texts into vectors. */
export interface EncoderFolder extends ModelFolder {
  readonly pooling: Pooling;
  /** Put before each query, as the model was trained. */
  readonly queryPrefix: string;
  /** Put before each passage. */
  readonly passagePrefix: string;
  /** Length of a vector. */
  readonly dimensions: number;
  /** Graph that tells from token vectors whether a sentence answers a question; undefined: the encoder has none. */
  readonly answerHeadFile: string | undefined;
  /** Of all that decides a vector: vectors of equal fingerprints can be compared. 32 hexadecimal digits. */
  readonly fingerprint: string;
}

const modules = z.array(z.object({ type: z.string(), path: z.string() }));
const poolingConfig = z.looseObject({
  word_embedding_dimension: z.number().int().positive().optional(),
  embedding_dimension: z.number().int().positive().optional(),
  pooling_mode: z.string().optional(),
});
const promptsConfig = z.object({
  prompts: z.record(z.string(), z.string()).optional(),
  similarity_fn_name: z.string().nullish(),
});
const hiddenSize = z.object({ hidden_size: z.number().int().positive().optional() });

/** sentence-transformers' names. The square root of the length only scales, and length is set to 1 afterwards. */
const poolings: Readonly<Record<string, Pooling>> = {
  pooling_mode_cls_token: "cls",
  pooling_mode_mean_tokens: "mean",
  pooling_mode_mean_sqrt_len_tokens: "mean",
  pooling_mode_max_tokens: "max",
  cls: "cls",
  mean: "mean",
  mean_sqrt_len_tokens: "mean",
  max: "max",
};

/**
 * Reads a folder as sentence-transformers exports it: a transformer, its pooling and, where the model is meant for
 * cosines, a Normalize step. Anything else in `modules.json` (a Dense layer, say) would be left out silently, so it
 * is refused.
 *
 * An answer head (`answer_head.onnx`) is taken along where there is one; nothing that is stored depends on it.
 *
 * @throws HeadwaterError FAILED_PRECONDITION, as `readModelFolder`, and HW_MODEL_UNSUPPORTED
 */
export async function readEncoderFolder(folder: string): Promise<EncoderFolder> {
  const files = await readModelFolder(folder);
  const steps = await readJson(folder, "modules.json", modules);
  const kinds = (steps ?? []).map(({ type }) => type.split(".").at(-1) ?? type);
  const stranger = kinds.find((kind) => !["Transformer", "Pooling", "Normalize"].includes(kind));
  if (stranger !== undefined) throw unsupported(folder, `a module of type ${stranger}`);

  const poolingPath = steps?.find(({ type }) => type.endsWith("Pooling"))?.path ?? "1_Pooling";
  const pooling = await readJson(folder, join(poolingPath, "config.json"), poolingConfig);
  if (!pooling) {
    throw modelError(
      "HW_MODEL_INVALID",
      `The model folder ${folder} has no ${poolingPath}/config.json, so how to pool is not known.`,
    );
  }
  const config = await readJson(folder, "config.json", hiddenSize);
  const dimensions = pooling.word_embedding_dimension ?? pooling.embedding_dimension ?? config?.hidden_size;
  if (dimensions === undefined)
    throw modelError("HW_MODEL_INVALID", `Nothing in ${folder} says how long a vector is.`);

  const prompting = await readJson(folder, "config_sentence_transformers.json", promptsConfig);
  const similarity = prompting?.similarity_fn_name ?? "cosine";
  if (similarity !== "cosine" && !(similarity === "dot" && kinds.includes("Normalize")))
    throw unsupported(folder, `similarity by ${similarity} (vectors are compared by cosine)`);

  const description = {
    pooling: poolingOf(folder, pooling),
    queryPrefix: prompting?.prompts?.["query"] ?? "",
    passagePrefix: prompting?.prompts?.["passage"] ?? prompting?.prompts?.["document"] ?? "",
    dimensions,
  };
  return {
    ...files,
    ...description,
    answerHeadFile: await findChecked(folder, "answer_head.onnx"),
    fingerprint: fingerprintOf({ ...files, ...description }),
  };
}

function poolingOf(folder: string, config: z.output<typeof poolingConfig>): Pooling {
  const chosen =
    config.pooling_mode === undefined
      ? Object.entries(config).flatMap(([name, on]) =>
          name.startsWith("pooling_mode_") && on === true ? [name] : [],
        )
      : [config.pooling_mode];
  const pooling = chosen.length === 1 ? poolings[chosen[0] ?? ""] : undefined;
  if (pooling === undefined) throw unsupported(folder, `pooling by ${chosen.join(" and ") || "nothing"}`);
  return pooling;
}

function unsupported(folder: string, what: string) {
  return modelError(
    "HW_MODEL_UNSUPPORTED",
    `The model in ${folder} needs ${what}, which is not supported.`,
    "Choose a model of a transformer with cls, mean or max pooling, compared by cosine.",
  );
}

/** The folder's name and place are left out: the same files elsewhere are the same model. */
function fingerprintOf(model: Omit<EncoderFolder, "fingerprint" | "answerHeadFile">): string {
  const parts = [
    model.modelSha256,
    model.tokenizerSha256,
    model.pooling,
    model.queryPrefix,
    model.passagePrefix,
    model.dimensions,
    model.maxTokens,
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}
