import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { HeadwaterError, invalidArgument } from "@headwater/errors";
import type { Judgements } from "./measures.ts";

export interface BeirDocument {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

export interface BeirQuery {
  readonly id: string;
  readonly text: string;
}

/** A collection in BEIR's layout: `corpus.jsonl`, `queries.jsonl`, `qrels/<split>.tsv`. */
export interface BeirCollection {
  /** Name of the folder. */
  readonly name: string;
  /** Name of the qrels file that was read. */
  readonly split: string;
  /** The queries that have judgements, in the order of their file. */
  readonly queries: readonly BeirQuery[];
  /** By query id. */
  readonly judgements: ReadonlyMap<string, Judgements>;
  /** Reads the corpus line by line; it may be larger than memory. */
  documents(): AsyncIterable<BeirDocument>;
}

/**
 * @param split of the judgements; undefined: "test" where there is one, else the only one
 * @throws HeadwaterError INVALID_ARGUMENT, HW_COLLECTION_INVALID
 */
export async function openBeirCollection(folder: string, split?: string): Promise<BeirCollection> {
  const chosen = split ?? (await onlySplit(folder));
  const judgements = await readJudgements(join(folder, "qrels", `${chosen}.tsv`));
  const queries: BeirQuery[] = [];
  for await (const { value, where } of readJsonLines(join(folder, "queries.jsonl"))) {
    const id = stringOf(value, "_id", where);
    if (judgements.has(id)) queries.push({ id, text: stringOf(value, "text", where) });
  }
  if (queries.length === 0) throw invalid(`${folder}: no query has a judgement in ${chosen}.tsv`);
  return {
    name: basename(folder),
    split: chosen,
    queries,
    judgements: new Map(queries.flatMap(({ id }) => pairOf(id, judgements.get(id)))),
    documents: () => readDocuments(join(folder, "corpus.jsonl")),
  };
}

async function* readDocuments(path: string): AsyncIterable<BeirDocument> {
  for await (const { value, where } of readJsonLines(path)) {
    yield {
      id: stringOf(value, "_id", where),
      title: value["title"] === undefined ? "" : stringOf(value, "title", where),
      text: stringOf(value, "text", where),
    };
  }
}

async function onlySplit(folder: string): Promise<string> {
  const names = await readdir(join(folder, "qrels")).catch((thrown: unknown) => {
    throw invalid(`${folder}: has no folder qrels that can be read`, thrown);
  });
  const splits = names.filter((name) => name.endsWith(".tsv")).map((name) => name.slice(0, -4));
  const [first] = splits.includes("test") ? ["test"] : splits;
  if (first === undefined || (first !== "test" && splits.length > 1))
    throw invalid(`${folder}/qrels: one split is needed, found: ${splits.join(", ") || "none"}`);
  return first;
}

async function readJudgements(path: string): Promise<Map<string, Map<string, number>>> {
  const judgements = new Map<string, Map<string, number>>();
  for await (const { text, where } of readLines(path)) {
    const [query, document, relevance, ...more] = text.split("\t");
    const value = Number(relevance);
    // The header of the file is its only line without a number.
    if (where.line === 1 && Number.isNaN(value)) continue;
    if (!query || !document || relevance?.trim() === "" || !Number.isFinite(value) || more.length > 0)
      throw invalid(`${where.path}:${where.line}: expected query id, document id and a number, by tabs`);
    const judged = judgements.get(query) ?? new Map<string, number>();
    judgements.set(query, judged.set(document, value));
  }
  return judgements;
}

interface Where {
  readonly path: string;
  /** From 1. */
  readonly line: number;
}

async function* readJsonLines(path: string): AsyncIterable<{ value: Record<string, unknown>; where: Where }> {
  for await (const { text, where } of readLines(path)) {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (thrown) {
      throw invalid(`${where.path}:${where.line}: not JSON`, thrown);
    }
    if (typeof value !== "object" || value === null)
      throw invalid(`${where.path}:${where.line}: not an object`);
    yield { value: value as Record<string, unknown>, where };
  }
}

async function* readLines(path: string): AsyncIterable<{ text: string; where: Where }> {
  const input = createReadStream(path, "utf8");
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  let line = 0;
  try {
    for await (const text of lines) {
      line += 1;
      if (text.trim() !== "")
        yield { text: line === 1 ? text.replace(/^\uFEFF/, "") : text, where: { path, line } };
    }
  } catch (thrown) {
    throw thrown instanceof HeadwaterError ? thrown : invalid(`${path}: cannot be read`, thrown);
  } finally {
    input.destroy();
  }
}

function stringOf(value: Record<string, unknown>, key: string, where: Where): string {
  const found = value[key];
  // Some collections write ids as numbers.
  if (typeof found === "string" || typeof found === "number") return String(found);
  throw invalid(`${where.path}:${where.line}: "${key}" is not a string`);
}

function pairOf(id: string, judged: Judgements | undefined): [string, Judgements][] {
  return judged ? [[id, judged]] : [];
}

function invalid(message: string, cause?: unknown): HeadwaterError {
  const error = invalidArgument(
    "HW_COLLECTION_INVALID",
    `Not a BEIR collection: ${message}.`,
    "It needs corpus.jsonl, queries.jsonl and qrels/test.tsv; see https://github.com/beir-cellar/beir.",
  );
  return cause === undefined ? error : Object.assign(error, { cause });
}
