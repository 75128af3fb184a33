import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { HeadwaterError } from "@headwater/errors";
import { invalidArgument } from "@headwater/errors";
import { z } from "zod";

/** Words of a document, as they stand in it but for white space. */
export interface Quote {
  /** Name of a file in `documents/`. */
  readonly document: string;
  readonly quote: string;
}

/** A piece of what an answer has to say; each of its quotes says it alone. */
export type EvidencePiece = readonly Quote[];

export interface MarkedQuestion {
  readonly id: string;
  readonly question: string;
  /** An answer needs all of them; none: the documents do not say. */
  readonly evidence: readonly EvidencePiece[];
}

/** Documents, and questions on them with the words that answer them: `documents/`, `questions.jsonl`. */
export interface AnswerSet {
  /** Name of the folder. */
  readonly name: string;
  /** Path of `documents/`. */
  readonly folder: string;
  /** File names in `documents/`, in order. */
  readonly documents: readonly string[];
  readonly questions: readonly MarkedQuestion[];
}

const quote = z.strictObject({ document: z.string().min(1), quote: z.string().trim().min(1) });
const question = z.strictObject({
  id: z.string().min(1),
  question: z.string().trim().min(1),
  evidence: z.array(z.strictObject({ ...quote.shape, or: z.array(quote).optional() })),
});

/** @throws HeadwaterError INVALID_ARGUMENT, HW_ANSWER_SET_INVALID */
export async function openAnswerSet(path: string): Promise<AnswerSet> {
  const folder = join(path, "documents");
  const [names, lines] = await Promise.all([
    readdir(folder).catch((thrown: unknown) => {
      throw invalid(`${folder} cannot be read`, thrown);
    }),
    readFile(join(path, "questions.jsonl"), "utf8").catch((thrown: unknown) => {
      throw invalid(`${join(path, "questions.jsonl")} cannot be read`, thrown);
    }),
  ]);
  const documents = names.filter((name) => !name.startsWith(".")).sort();
  const ids = new Set<string>();
  const questions = lines.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    const where = `questions.jsonl:${index + 1}`;
    const read = readQuestion(line, where);
    if (ids.has(read.id)) throw invalid(`${where}: the id ${read.id} stands there twice`);
    ids.add(read.id);
    for (const { document } of read.evidence.flat()) {
      if (!documents.includes(document)) throw invalid(`${where}: there is no documents/${document}`);
    }
    return [read];
  });
  if (questions.length === 0) throw invalid("questions.jsonl has no question");
  return { name: basename(path), folder, documents, questions };
}

/**
 * Where a quote stands in a text, whatever white space is between its words.
 *
 * @throws HeadwaterError INVALID_ARGUMENT, HW_ANSWER_SET_INVALID where it stands there never or more than once
 */
export function locateQuote({ document, quote: words }: Quote, text: string): { start: number; end: number } {
  const pattern = words
    .trim()
    .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
    .replace(/\s+/g, "\\s+");
  const [match, another] = text.matchAll(new RegExp(pattern, "g"));
  if (!match || another) {
    throw invalid(`${document} has “${words}” ${another ? "more than once" : "nowhere"} in its text`);
  }
  return { start: match.index, end: match.index + match[0].length };
}

function readQuestion(line: string, where: string): MarkedQuestion {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (thrown) {
    throw invalid(`${where}: not JSON`, thrown);
  }
  const { data, error } = question.safeParse(value);
  if (error) throw invalid(`${where}: ${z.prettifyError(error)}`, error);
  return { ...data, evidence: data.evidence.map(({ or = [], ...first }) => [first, ...or]) };
}

function invalid(message: string, cause?: unknown): HeadwaterError {
  const error = invalidArgument(
    "HW_ANSWER_SET_INVALID",
    `Not a question set: ${message}.`,
    "It needs documents/ and questions.jsonl; docs/answer-quality.md tells what stands in them.",
  );
  return cause === undefined ? error : Object.assign(error, { cause });
}
