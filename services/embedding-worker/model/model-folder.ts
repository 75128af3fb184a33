import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { HeadwaterError, status } from "@headwater/errors";
import { maxMessageBytes } from "@headwater/rpc";
import { z } from "zod";

/** The files of a model's folder that both encoders and cross-encoders have. */
export interface ModelFolder {
  /** Name of the folder. */
  readonly name: string;
  readonly folder: string;
  readonly modelFile: string;
  readonly modelSha256: string;
  readonly tokenizerFile: string;
  readonly tokenizerSha256: string;
  /** Longest text in tokens, special ones included. */
  readonly maxTokens: number;
  /** Fills the ends of shorter texts in a batch; masked out. */
  readonly padTokenId: number;
}

const modelConfig = z.object({
  model_type: z.string().optional(),
  max_position_embeddings: z.number().int().positive().optional(),
  pad_token_id: z.number().int().nonnegative().nullish(),
});

const sentenceBertConfig = z.object({ max_seq_length: z.number().int().positive().nullish() });

/** Where nothing in the folder says how long a text may be. */
const usualMaxTokens = 512;

/** These count positions from `pad_token_id` + 1 on, so the table has fewer places than its size says. */
const offsetPositions = new Set(["roberta", "xlm-roberta", "camembert", "mpnet"]);

/**
 * Finds and checks the files of a model. Sums in `SHA256SUMS` are verified where the folder has them.
 *
 * @throws HeadwaterError FAILED_PRECONDITION: HW_MODEL_NOT_FOUND, HW_MODEL_INVALID, HW_MODEL_CORRUPT
 */
export async function readModelFolder(folder: string): Promise<ModelFolder> {
  if (!(await isThere(folder)))
    throw modelError("HW_MODEL_NOT_FOUND", `There is no model folder at ${folder}.`);
  const modelFile = await firstThere(folder, ["model.onnx", "onnx/model.onnx"]);
  const tokenizerFile = await firstThere(folder, ["tokenizer.json", "onnx/tokenizer.json"]);
  const config = await readJson(folder, "config.json", modelConfig);
  if (!config) throw modelError("HW_MODEL_INVALID", `The model folder ${folder} has no config.json.`);
  const sentenceBert = await readJson(folder, "sentence_bert_config.json", sentenceBertConfig);
  const padTokenId = config.pad_token_id ?? 0;
  const positions = config.max_position_embeddings ?? usualMaxTokens;
  const usable = offsetPositions.has(config.model_type ?? "") ? positions - padTokenId - 1 : positions;

  const [modelSha256, tokenizerSha256] = await Promise.all([
    checkedSha256(folder, modelFile),
    checkedSha256(folder, tokenizerFile),
  ]);
  return {
    name: basename(folder),
    folder,
    modelFile: join(folder, modelFile),
    modelSha256,
    tokenizerFile: join(folder, tokenizerFile),
    tokenizerSha256,
    maxTokens: Math.min(usable, sentenceBert?.max_seq_length ?? usable),
    padTokenId,
  };
}

/**
 * A file that a model may have, its sum verified as the others' are; undefined: it has none.
 *
 * @throws HeadwaterError FAILED_PRECONDITION, HW_MODEL_CORRUPT
 */
export async function findChecked(folder: string, file: string): Promise<string | undefined> {
  const path = join(folder, file);
  if (!(await isThere(path))) return undefined;
  await checkedSha256(folder, file);
  return path;
}

/** A response holds it whole, beside a few bytes; gRPC's limit of a message is set in libs/rpc. */
const mostTokenizerBytes = maxMessageBytes - 1024;

/**
 * The tokenizer as callers are given it, without blanks.
 *
 * @throws HeadwaterError HW_MODEL_UNSUPPORTED where it is too large for a message
 */
export async function readTokenizerJson({ tokenizerFile }: ModelFolder): Promise<Uint8Array> {
  const bytes = Buffer.from(JSON.stringify(JSON.parse(await readFile(tokenizerFile, "utf8"))));
  if (bytes.byteLength <= mostTokenizerBytes) return bytes;
  throw modelError(
    "HW_MODEL_UNSUPPORTED",
    `${tokenizerFile} has ${bytes.byteLength} bytes; chunkers can be given at most ${mostTokenizerBytes}.`,
    "Choose a model with a smaller vocabulary.",
  );
}

/** @throws HeadwaterError HW_MODEL_INVALID where the file is not what `schema` says; undefined where there is none */
export async function readJson<T>(
  folder: string,
  file: string,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  if (!(await isThere(join(folder, file)))) return undefined;
  try {
    return schema.parse(JSON.parse(await readFile(join(folder, file), "utf8")));
  } catch (thrown) {
    throw modelError("HW_MODEL_INVALID", `${join(folder, file)} cannot be understood.`, undefined, thrown);
  }
}

export function modelError(
  reason: "HW_MODEL_NOT_FOUND" | "HW_MODEL_INVALID" | "HW_MODEL_CORRUPT" | "HW_MODEL_UNSUPPORTED",
  message: string,
  action = "Point HEADWATER_EMBEDDING_MODEL_DIR (or …_RERANKER_DIR) to a folder as sentence-transformers exports it to ONNX.",
  cause?: unknown,
): HeadwaterError {
  return new HeadwaterError({ code: status.FAILED_PRECONDITION, reason, message, action, cause });
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

async function firstThere(folder: string, files: readonly [string, ...string[]]): Promise<string> {
  for (const file of files) if (await isThere(join(folder, file))) return file;
  throw modelError("HW_MODEL_INVALID", `The model folder ${folder} has no ${files[0]}.`);
}

async function checkedSha256(folder: string, file: string): Promise<string> {
  const path = join(folder, file);
  const found = await sha256(path);
  const wanted = (await readSums(folder)).get(file);
  if (wanted === undefined || wanted === found) return found;
  throw modelError(
    "HW_MODEL_CORRUPT",
    `${path} has the SHA-256 ${found}, but SHA256SUMS says ${wanted}.`,
    "Fetch the model again; the file is damaged or not the one that the sums were made of.",
  );
}

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest("hex");
}

/** The lines of `sha256sum`: a sum, two spaces (or " *"), a path. */
async function readSums(folder: string): Promise<Map<string, string>> {
  if (!(await isThere(join(folder, "SHA256SUMS")))) return new Map();
  const lines = (await readFile(join(folder, "SHA256SUMS"), "utf8")).split("\n");
  return new Map(
    lines.flatMap((line) => {
      const [, sum, path] = /^([0-9a-f]{64}) [ *](.+)$/.exec(line.trim()) ?? [];
      return sum !== undefined && path !== undefined ? [[path.replace(/^\.\//, ""), sum] as const] : [];
    }),
  );
}
